using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Commerce.Gateway.OpenApi;

/// <summary>The protos as they were written, with their comments.</summary>
internal sealed class Protos
{
    private readonly Dictionary<string, string> _comments = new(StringComparer.Ordinal);

    public Protos(FileDescriptorSet files)
    {
        foreach (var file in files.File)
        {
            var package = file.Package;
            foreach (var message in file.MessageType)
                Add(package, message);
            foreach (var enumType in file.EnumType)
                Enums[$".{package}.{enumType.Name}"] = enumType;
            Services.AddRange(file.Service.Select(service => ($"{package}.{service.Name}", service)));
            foreach (var location in file.SourceCodeInfo?.Location ?? [])
            {
                var comment = Text(location.LeadingComments);
                if (comment.Length > 0 && NameAt(file, location.Path) is { } name)
                    _comments[name] = comment;
            }
        }
    }

    /// <summary>By full name with a leading dot, as fields refer to them.</summary>
    public Dictionary<string, DescriptorProto> Messages { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, EnumDescriptorProto> Enums { get; } = new(StringComparer.Ordinal);

    public List<(string FullName, ServiceDescriptorProto Service)> Services { get; } = [];

    /// <summary>The set that the build embeds.</summary>
    public static Protos Embedded()
    {
        using var stream = typeof(Protos).Assembly.GetManifestResourceStream("commerce.protoset")
            ?? throw new InvalidOperationException("The protos are not embedded.");
        var extensions = new ExtensionRegistry { AnnotationsExtensions.Http, FieldBehaviorExtensions.FieldBehavior };
        return new Protos(FileDescriptorSet.Parser.WithExtensionRegistry(extensions).ParseFrom(stream));
    }

    /// <summary>What the proto says about an element, in one paragraph; empty if nothing. The name is dotted: ".package.Message.field".</summary>
    public string CommentOf(string fullName) => _comments.GetValueOrDefault(fullName, "");

    private void Add(string scope, DescriptorProto message)
    {
        var name = $"{scope}.{message.Name}";
        Messages["." + name] = message;
        foreach (var nested in message.NestedType)
            Add(name, nested);
        foreach (var enumType in message.EnumType)
            Enums[$".{name}.{enumType.Name}"] = enumType;
    }

    // A path alternates field numbers of descriptor.proto and indices: 4 message, 5 enum, 6 service; in a message
    // 2 field, 3 nested message, 4 enum; in an enum 2 value; in a service 2 method.
    private static string? NameAt(FileDescriptorProto file, Google.Protobuf.Collections.RepeatedField<int> path)
    {
        if (path.Count < 2 || path.Count % 2 != 0)
            return null;
        var name = "." + file.Package;
        IMessage at = file;
        for (var i = 0; i < path.Count; i += 2)
        {
            IMessage? next = (at, path[i]) switch
            {
                (FileDescriptorProto f, 4) => f.MessageType[path[i + 1]],
                (FileDescriptorProto f, 5) => f.EnumType[path[i + 1]],
                (FileDescriptorProto f, 6) => f.Service[path[i + 1]],
                (DescriptorProto m, 2) => m.Field[path[i + 1]],
                (DescriptorProto m, 3) => m.NestedType[path[i + 1]],
                (DescriptorProto m, 4) => m.EnumType[path[i + 1]],
                (EnumDescriptorProto e, 2) => e.Value[path[i + 1]],
                (ServiceDescriptorProto s, 2) => s.Method[path[i + 1]],
                _ => null,
            };
            if (next is null)
                return null;
            at = next;
            name += "." + at switch
            {
                DescriptorProto m => m.Name,
                EnumDescriptorProto e => e.Name,
                EnumValueDescriptorProto v => v.Name,
                ServiceDescriptorProto s => s.Name,
                MethodDescriptorProto m => m.Name,
                FieldDescriptorProto f => f.Name,
                _ => "",
            };
        }

        return name;
    }

    private static string Text(string comment) => string.Join(' ', comment.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
