namespace Commerce.Tracking.Payloads;

/// <summary>What a payload says went wrong. Errors look alike wherever they come from: a code and words, under a handful of names.</summary>
internal static class Problems
{
    private static readonly string[] Always = ["errors", "error", "fault", "systemexception"];
    private static readonly string[] WithoutScans = ["warnings", "alerts", "messages", "message", "condition", "result", "meta", "response"];
    private static readonly string[] Codes = ["errorcode", "code", "conditioncode", "returncode", "faultcode", "error", "status", "name"];
    private static readonly string[] Words = ["errormessage", "message", "description", "detail", "details", "errordescription", "conditiondata", "returnmessage", "faultstring", "title", "name", "error"];

    public static IEnumerable<PayloadProblem> Of(Node root, bool hasScans)
    {
        var found = new List<PayloadProblem>();
        // An error message so called says more than the fault that wraps it.
        Named(root, found, 0);
        if (found.Count > 0)
            return found.Distinct();
        foreach (var key in hasScans ? Always : [.. Always, .. WithoutScans])
        {
            foreach (var node in root.Below(key, 8).SelectMany(node => node.Flat()))
                Add(found, node);
            // One is enough; what follows says less of the same.
            if (found.Count > 0 && !hasScans)
                return Precise(root, found);
        }

        if (!hasScans)
        {
            foreach (var node in root.Flat().SelectMany(node => node.Members.Select(member => member.Value).Where(value => value.IsObject).Prepend(node)))
                Add(found, node);
            Deep(root, found, 0);
        }

        return found.Distinct();
    }

    // "error":"not_found" beside "error_description", "code" beside it as an attribute: the object around says more than the text.
    private static IEnumerable<PayloadProblem> Precise(Node root, List<PayloadProblem> found)
    {
        if (found is [{ Code.Length: 0 }])
        {
            foreach (var node in root.Flat().SelectMany(node => node.Members.Select(member => member.Value).Where(value => value.IsObject).Prepend(node)))
            {
                if (First(node, Codes) is { Length: > 0 } code && First(node, Words) is { Length: > 0 } words)
                    return [new PayloadProblem(code, words)];
            }
        }

        return found.Distinct();
    }

    private static void Named(Node node, List<PayloadProblem> found, int depth)
    {
        foreach (var one in node.Flat())
        {
            if (one.Members.Any(member => member.Key == "errormessage" && member.Value.Text.Length > 0))
                Add(found, one);
            foreach (var (_, value) in one.Members)
            {
                if (depth < 8 && (value.IsObject || value.IsList))
                    Named(value, found, depth + 1);
            }
        }
    }

    private static void Deep(Node node, List<PayloadProblem> found, int depth)
    {
        if (depth > 8 || found.Count > 0)
            return;
        foreach (var child in node.Flat().SelectMany(one => one.Members).Select(member => member.Value).Where(value => value.IsObject || value.IsList))
        {
            foreach (var one in child.Flat())
                Add(found, one);
            Deep(child, found, depth + 1);
        }
    }

    private static void Add(List<PayloadProblem> found, Node node)
    {
        if (node.Text.Length > 0)
            found.Add(new PayloadProblem("", TextField.Of(node.Text)));
        else if (First(node, Words) is { Length: > 0 } words && First(node, Codes) is var code && (code.Length > 0 || node.Members.Count == 1) && !(code == "0" || code == "200"))
            found.Add(new PayloadProblem(code == words ? "" : code, words));
    }

    private static string First(Node node, string[] keys)
    {
        foreach (var key in keys)
        {
            foreach (var (name, value) in node.Members)
            {
                if (name == key && TextField.Of(value.Text) is { Length: > 0 } text)
                    return text;
            }
        }

        return "";
    }
}
