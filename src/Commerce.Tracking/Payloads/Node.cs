namespace Commerce.Tracking.Payloads;

/// <summary>
/// A payload as a tree, whatever it was written in: a text, named members, or a list. A name may occur several times, as elements
/// do in XML and members in broken JSON. Names are compared by their letters and digits alone, so that "event_date", "eventDate"
/// and "ns2:event-date" are one.
/// </summary>
internal sealed class Node
{
    // How far below its place a field is looked for that is not where it belongs.
    private const int SearchDepth = 4;

    private List<KeyValuePair<string, Node>>? _members;
    private List<Node>? _items;

    public string Text { get; private init; } = "";

    public bool IsObject => _members is not null;

    public bool IsList => _items is not null;

    public IReadOnlyList<KeyValuePair<string, Node>> Members => _members ?? [];

    public IReadOnlyList<Node> Items => _items ?? [];

    public static Node Of(string text) => new() { Text = text };

    public static Node NewObject() => new() { _members = [] };

    public static Node NewList() => new() { _items = [] };

    public void Add(string key, Node value) => _members!.Add(new(key, value));

    public void Add(Node item) => _items!.Add(item);

    /// <summary>The name as it is compared: lower-case letters and digits, without an XML prefix.</summary>
    public static string Key(string name)
    {
        var local = name[(name.LastIndexOf(':') + 1)..];
        foreach (var c in local)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c))
                return string.Concat(local.Where(char.IsLetterOrDigit)).ToLowerInvariant();
        }

        return local;
    }

    /// <summary>It and, where it is a list, everything in it: one thing and a list of one are the same.</summary>
    public IEnumerable<Node> Flat()
    {
        if (_items is null)
            return [this];
        return _items.SelectMany(item => item.Flat());
    }

    /// <summary>Every node at the path, through lists.</summary>
    public IEnumerable<Node> At(IReadOnlyList<string> path) => At(path, 0);

    /// <summary>Every node of that name below, nearest first; none is looked for inside one that was found, nor in members of the names excepted.</summary>
    public IReadOnlyList<Node> Below(string key, int depth = SearchDepth, IReadOnlySet<string>? except = null)
    {
        var found = new List<Node>();
        var level = new List<Node> { this };
        for (; depth > 0 && level.Count > 0; depth--)
        {
            var next = new List<Node>();
            foreach (var node in level.SelectMany(node => node.Flat()))
            {
                foreach (var (name, value) in node.Members)
                {
                    if (name == key)
                        found.Add(value);
                    else if ((value.IsObject || value.IsList) && except?.Contains(name) != true)
                        next.Add(value);
                }
            }

            if (found.Count > 0)
                return found;
            level = next;
        }

        return found;
    }

    /// <summary>The text that it holds itself, or in a member that is a text by its name, or in the first of a list.</summary>
    public string FirstText(int depth = 3)
    {
        if (Text.Length > 0 || depth == 0)
            return Text;
        foreach (var item in Items)
        {
            if (item.FirstText(depth - 1) is { Length: > 0 } text)
                return text;
        }

        foreach (var (name, value) in Members)
        {
            if (name is "text" or "value" or "content" or "description" or "name" or "code" && value.FirstText(depth - 1) is { Length: > 0 } text)
                return text;
        }

        return Members is [{ Value: var only }] ? only.FirstText(depth - 1) : "";
    }

    private IEnumerable<Node> At(IReadOnlyList<string> path, int from)
    {
        if (from == path.Count)
            return [this];
        return Flat().SelectMany(node => node.Members).Where(member => member.Key == path[from]).SelectMany(member => member.Value.At(path, from + 1));
    }
}
