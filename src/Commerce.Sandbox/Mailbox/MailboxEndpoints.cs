using System.Globalization;
using System.Text;
using Commerce.Sandbox.Books;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Mailbox;

/// <summary>The mailbox for people and for tests.</summary>
internal static class MailboxEndpoints
{
    private const int Shown = 100;
    private const int MaxListed = 1000;

    public static void MapMailbox(this IEndpointRouteBuilder app)
    {
        app.MapGet("/mailbox/messages", (HttpRequest request, BookKeeper books) =>
        {
            var given = request.Query["limit"].ToString();
            var limit = 50;
            if (given.Length > 0 && !(int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxListed))
            {
                throw new Refusal(400, "invalid_request", $"limit must lie between 1 and {MaxListed}.");
            }

            var (messages, total) = books.Read(page => MailBook.Search(page, Given(request, "to"), Given(request, "subject"), limit));
            return Answer.Ok(new { messages, total });
        });
        app.MapGet("/mailbox", (HttpContext context, BookKeeper books) =>
        {
            var (messages, total) = books.Read(page => MailBook.Search(page, Given(context.Request, "to"), Given(context.Request, "subject"), Shown));
            return Html.Page(context, "Mailbox", List(messages, total));
        });
        app.MapGet("/mailbox/{id}", (string id, HttpContext context, BookKeeper books) =>
        {
            var mail = books.Read(page => MailBook.Find(page, id)) ?? throw Refusal.NotFound("mail", id);
            return Html.Page(context, mail.Subject, Message(mail));
        });
    }

    private static string? Given(HttpRequest request, string name) => request.Query[name].ToString() is { Length: > 0 } value ? value : null;

    private static string List(List<Mail> messages, long total)
    {
        var html = new StringBuilder($"<h1>Mailbox</h1><p class=\"soft\">{total} mails, newest first{(total > messages.Count ? $"; the last {messages.Count} are shown" : "")}. Every mail sent to the Sandbox's SMTP port arrives here, whoever it is for.</p><div class=\"card\">");
        if (messages.Count == 0)
        {
            html.Append("<p>No mail yet. Place an order and its confirmation will appear here.</p>");
        }
        else
        {
            html.Append("<table><thead><tr><th>Received (UTC)</th><th>To</th><th>Subject</th></tr></thead><tbody>");
            foreach (var mail in messages)
            {
                var again = mail.Duplicates > 0 ? $" <span class=\"chip bad\">+{mail.Duplicates} duplicate{(mail.Duplicates == 1 ? "" : "s")}</span>" : "";
                html.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"mono\">{Html.Encode(Short(mail.ReceivedAt))}</td><td>{Html.Encode(mail.To)}</td><td><a href=\"/mailbox/{Html.Encode(mail.Id)}\">{Html.Encode(mail.Subject.Length == 0 ? "(no subject)" : mail.Subject)}</a>{again}</td></tr>");
            }

            html.Append("</tbody></table>");
        }

        return html.Append("</div>").ToString();
    }

    private static string Message(Mail mail)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"""
            <h1>{Html.Encode(mail.Subject.Length == 0 ? "(no subject)" : mail.Subject)}</h1>
            <div class="card"><dl><dt>From</dt><dd>{Html.Encode(mail.From)}</dd><dt>To</dt><dd>{Html.Encode(mail.To)}</dd>
            <dt>Received</dt><dd>{Html.Encode(Short(mail.ReceivedAt))} UTC</dd><dt>Message-ID</dt><dd class="mono">{Html.Encode(mail.MessageId)}</dd>
            <dt>Duplicates</dt><dd>{mail.Duplicates}</dd></dl></div>
            """);
        if (mail.Html is not null)
        {
            // An empty sandbox attribute: no script, no form, no origin.
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"card\"><h2>As sent</h2><iframe sandbox=\"\" title=\"The mail as HTML\" srcdoc=\"{Html.Encode(mail.Html)}\"></iframe></div>");
        }

        if (mail.Text.Length > 0 || mail.Html is null) html.Append(CultureInfo.InvariantCulture, $"<div class=\"card\"><h2>Text</h2><pre>{Html.Encode(mail.Text)}</pre></div>");
        html.Append("<details class=\"card\"><summary>Headers</summary><table><tbody>");
        foreach (var (name, value) in mail.Headers) html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Html.Encode(name)}</td><td class=\"mono\">{Html.Encode(value)}</td></tr>");
        return html.Append("</tbody></table></details>").ToString();
    }

    private static string Short(string rfc3339) => rfc3339.Replace('T', ' ')[..19];
}
