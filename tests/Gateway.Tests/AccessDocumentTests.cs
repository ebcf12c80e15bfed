using System.Text;
using Commerce.Operations.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Commerce.Types.V1;

namespace Commerce.Gateway.Tests;

/// <summary>docs/access.md says what the protos and the tables in the code say. With COMMERCE_WRITE_DOCS=true it is written and not compared.</summary>
public sealed class AccessDocumentTests
{
    [Fact]
    public void The_document_has_every_method_role_and_service()
    {
        var path = Path.Combine(Repository(), "docs", "access.md");
        var text = File.ReadAllText(path);
        var should = Replace(Replace(Replace(text, "methods", Methods()), "roles", RolesTable()), "services", Services());
        if (Environment.GetEnvironmentVariable("COMMERCE_WRITE_DOCS") == "true")
            File.WriteAllText(path, should);
        else
            Assert.Equal(should, text);
    }

    [Fact]
    public void Every_scope_is_asked_for_by_a_method_and_every_role_is_of_scopes_that_there_are()
    {
        var asked = All.Select(method => WrongCredentials.AccessOf(method).Scope).ToHashSet();
        // It opens no method, but what of documents is shown.
        Assert.Empty(Enum.GetValues<Scope>().Except(asked.Append(Scope.DocumentsLegal)));
        Assert.All(Roles.All.Values, scopes => Assert.True(ScopeSet.All.Covers(scopes)));
    }

    private static IEnumerable<Google.Protobuf.Reflection.MethodDescriptor> All => PublicApi.Services.Append(MessagingService.Descriptor).SelectMany(service => service.Methods);

    private static string Methods()
    {
        var text = new StringBuilder("| method | scope | callers | limited to stores |\n| --- | --- | --- | --- |\n");
        foreach (var method in All)
        {
            var access = WrongCredentials.AccessOf(method);
            text.Append(null, $"| {method.Service.Name}.{method.Name} | {(access.Scope == Scope.Unspecified ? "any" : ScopeSet.NameOf(access.Scope))} | {string.Join(", ", access.Callers.Select(caller => caller.ToString().ToLowerInvariant()))} | {Stores(access.Stores)} |\n");
        }

        return text.ToString();
    }

    private static string Stores(StoreAccess stores) => stores switch
    {
        StoreAccess.Request => "names its store",
        StoreAccess.Resource => "sees its own",
        StoreAccess.None => "nothing of stores",
        _ => "refused",
    };

    private static string RolesTable()
    {
        var text = new StringBuilder($"| scope | {string.Join(" | ", Roles.All.Keys)} |\n| --- |{string.Concat(Roles.All.Select(_ => " --- |"))}\n");
        foreach (var name in ScopeSet.AllNames)
            text.Append(null, $"| {name} | {string.Join(" | ", Roles.All.Values.Select(scopes => scopes.Has(ScopeSet.Parse(name)!.Value) ? "yes" : ""))} |\n");
        return text.ToString();
    }

    private static string Services()
    {
        var text = new StringBuilder("| service | may, at the others |\n| --- | --- |\n");
        foreach (var (service, scopes) in ServiceScopes.All)
            text.Append(null, $"| {service} | {string.Join(", ", scopes.ToNames())} |\n");
        return text.ToString();
    }

    private static string Replace(string document, string what, string table)
    {
        var (begin, end) = ($"<!-- {what}: generated -->\n", $"<!-- {what}: end -->");
        var from = document.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var to = document.IndexOf(end, StringComparison.Ordinal);
        Assert.True(from >= begin.Length && to >= from, $"docs/access.md has no part \"{what}\".");
        return string.Concat(document.AsSpan(0, from), table, document.AsSpan(to));
    }

    private static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("Commerce.sln is not above the tests.");
    }
}
