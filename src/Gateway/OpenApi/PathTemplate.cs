using System.Text;

namespace Commerce.Gateway.OpenApi;

/// <summary>One parameter of a path.</summary>
/// <param name="Name">As the path calls it.</param>
/// <param name="Field">The request's field that it becomes, or becomes a part of.</param>
/// <param name="IsWhole">The parameter alone is the field's value.</param>
internal sealed record PathVariable(string Name, string Field, bool IsWhole);

/// <summary>A path of google.api.http as OpenAPI writes it: "/v1/{name=orders/*}:cancel" is "/v1/orders/{order}:cancel".</summary>
internal sealed record PathTemplate(string Path, IReadOnlyList<PathVariable> Variables)
{
    public bool Binds(string field) => Variables.Any(variable => variable.Field == field);

    public static PathTemplate Parse(string template)
    {
        var path = new StringBuilder();
        var variables = new List<PathVariable>();
        var at = 0;
        while (at < template.Length)
        {
            var open = template.IndexOf('{', at);
            if (open < 0)
                break;
            path.Append(template, at, open - at);
            var close = template.IndexOf('}', open);
            var inside = template[(open + 1)..close];
            at = close + 1;

            var equals = inside.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                var name = JsonNameOf(inside);
                path.Append('{').Append(name).Append('}');
                variables.Add(new PathVariable(name, inside, IsWhole: true));
                continue;
            }

            // A resource name: each * is the id of what the segment before it collects.
            var field = inside[..equals];
            var segments = inside[(equals + 1)..].Split('/');
            for (var i = 0; i < segments.Length; i++)
            {
                if (i > 0)
                    path.Append('/');
                if (segments[i] is not ("*" or "**"))
                {
                    path.Append(segments[i]);
                    continue;
                }

                var name = i == 0 ? JsonNameOf(field) : segments[i - 1].TrimEnd('s');
                path.Append('{').Append(name).Append('}');
                variables.Add(new PathVariable(name, field, IsWhole: segments.Length == 1));
            }
        }

        path.Append(template, at, template.Length - at);
        return new PathTemplate(path.ToString(), variables);
    }

    private static string JsonNameOf(string field)
    {
        var parts = field.Split('_');
        return parts[0] + string.Concat(parts.Skip(1).Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
    }
}
