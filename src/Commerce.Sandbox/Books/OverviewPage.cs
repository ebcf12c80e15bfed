using System.Globalization;
using System.Text;
using System.Text.Json;
using Commerce.Sandbox.Carriers;
using Commerce.Sandbox.Control;
using Commerce.Sandbox.Http;
using Commerce.Sandbox.Mailbox;
using Commerce.Sandbox.Payments;
using Commerce.Sandbox.Webhooks;

namespace Commerce.Sandbox.Books;

/// <summary>The Sandbox on one page.</summary>
internal static class OverviewPage
{
    private const int Rows = 10;

    public static void MapOverview(this IEndpointRouteBuilder app) => app.MapGet("/", (HttpContext context, BookKeeper books, KnobBoard knobs, WebhookSender sender, MailboxServer mailbox) =>
    {
        var (summary, payments, labels) = books.Read(page => (Summary.Of(page), PaymentBook.Newest(page, Rows), LabelBook.Newest(page, Rows)));
        var html = new StringBuilder($"""
            <h1>The outside world</h1>
            <p class="soft">A payment provider, four carriers and a mailbox for development, tests and demos: real HTTP and SMTP, no real money, no real parcels.</p>
            """);
        Numbers(html, summary);
        html.Append("<div class=\"two\">");
        Knobs(html, knobs.Current);
        Doors(html, sender, mailbox);
        html.Append("</div>");
        Payments(html, payments);
        Labels(html, labels);
        return Html.Page(context, "Overview", html.ToString());
    });

    private static void Numbers(StringBuilder html, Summary s)
    {
        html.Append("<div class=\"grid\">");
        Number("Authorizations", s.Authorizations.ToString("N0", CultureInfo.InvariantCulture));
        Number("Captured", Money(s.Captured));
        Number("Refunded", Money(s.Refunded));
        Number("Labels", s.Labels.ToString("N0", CultureInfo.InvariantCulture), s.VoidedLabels == 0 ? "" : $"{s.VoidedLabels} voided");
        Number("Mails", s.Mails.ToString("N0", CultureInfo.InvariantCulture), s.DuplicateMails == 0 ? "" : $"and {s.DuplicateMails} again");
        Number("Webhooks pending", s.WebhooksPending.ToString("N0", CultureInfo.InvariantCulture), $"{s.ScansPending} parcels under way");
        html.Append("</div>");

        void Number(string name, string value, string note = "") =>
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"card\"><div class=\"soft\">{name}</div><div class=\"big\">{Html.Encode(value)}</div><div class=\"soft\">{Html.Encode(note)}</div></div>");
    }

    private static void Knobs(StringBuilder html, Knobs knobs)
    {
        html.Append("<section class=\"card\"><h2>Knobs</h2><table><tbody>");
        foreach (var (name, value) in JsonSerializer.SerializeToNode(knobs, Json.Options)!.AsObject())
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><td><code>{Html.Encode(name)}</code></td><td class=\"n\">{Html.Encode(value?.ToJsonString())}</td></tr>");
        }

        html.Append("</tbody></table><p class=\"soft\" style=\"margin:12px 0 0\">Turn one: <code>curl -X PATCH -d '{\"day_seconds\": 2}' …/control/knobs</code></p></section>");
    }

    private static void Doors(StringBuilder html, WebhookSender sender, MailboxServer mailbox)
    {
        html.Append(CultureInfo.InvariantCulture, $"""
            <section class="card"><h2>What is where</h2><dl>
            <dt>Payment provider</dt><dd><code>/payments/v1</code></dd>
            <dt>Carriers</dt><dd><code>/carriers/{string.Join("</code>, <code>", CarrierProfiles.All.Keys)}/v1</code></dd>
            <dt>Mailbox</dt><dd>SMTP on <code>127.0.0.1:{mailbox.Port}</code>, <a href="/mailbox">read it</a></dd>
            <dt>Scans go to</dt><dd>{Target(WebhookBook.Shipments)}</dd>
            <dt>Payment news go to</dt><dd>{Target(WebhookBook.Payments)}</dd>
            <dt>Knobs, scenarios</dt><dd><code>/control/knobs</code>, <code>/control/scenarios</code></dd>
            <dt>Books</dt><dd><a href="/books/summary">summary</a>, <a href="/books/charges">charges</a>, <a href="/books/labels">labels</a></dd>
            </dl></section>
            """);

        string Target(string name) => sender.TargetOf(name) is { } uri ? $"<code>{Html.Encode(uri.ToString())}</code>" : "<span class=\"bad\">nowhere yet: kept in the books</span>";
    }

    private static void Payments(StringBuilder html, List<Authorization> payments)
    {
        html.Append("<section class=\"card\"><h2>Latest payments</h2>");
        if (payments.Count == 0) html.Append("<p class=\"soft\">None yet.</p>");
        else html.Append("<table><thead><tr><th>Reference</th><th>Method</th><th>Status</th><th class=\"n\">Amount</th><th class=\"n\">Captured</th><th class=\"n\">Refunded</th></tr></thead><tbody>");
        foreach (var a in payments)
        {
            var colour = a.Status switch { PaymentStatus.Authorized => "good", PaymentStatus.Declined => "bad", _ => "" };
            var status = a.Voided > 0 ? "voided" : a.DeclineReason is null ? a.Status : $"{a.Status}: {a.DeclineReason}";
            html.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"mono\">{Html.Encode(a.Reference)}</td><td>{Html.Encode(a.Method)}</td><td><span class=\"chip {colour}\">{Html.Encode(status)}</span></td><td class=\"n\">{Money(a.Currency, a.Amount)}</td><td class=\"n\">{Money(a.Currency, a.Captured)}</td><td class=\"n\">{Money(a.Currency, a.Refunded)}</td></tr>");
        }

        html.Append(payments.Count == 0 ? "</section>" : "</tbody></table></section>");
    }

    private static void Labels(StringBuilder html, List<Label> labels)
    {
        html.Append("<section class=\"card\"><h2>Latest labels</h2>");
        if (labels.Count == 0) html.Append("<p class=\"soft\">None yet.</p>");
        else html.Append("<table><thead><tr><th>Tracking number</th><th>Carrier, service</th><th>Order</th><th>Last scan</th><th class=\"n\">Scans</th><th class=\"n\">Price</th></tr></thead><tbody>");
        foreach (var label in labels)
        {
            var carrier = CarrierProfiles.All[label.Carrier];
            var last = label.Happened.LastOrDefault() is { } scan ? carrier.Words[scan.Step].Description : "not scanned yet";
            html.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"mono\"><a href=\"/carriers/{label.Carrier}/v1/labels/{Html.Encode(label.Id)}/label.txt\">{Html.Encode(label.TrackingNumber)}</a></td><td>{Html.Encode(carrier.Name)} {Html.Encode(label.Service)}</td><td class=\"mono\">{Html.Encode(label.OrderReference)}</td><td>{Html.Encode(label.VoidedAt is null ? last : "voided")}</td><td class=\"n\">{label.Position}/{label.Journey.Count}</td><td class=\"n\">{Money(label.Currency, label.Price)}</td></tr>");
        }

        html.Append(labels.Count == 0 ? "</section>" : "</tbody></table></section>");
    }

    private static string Money(IReadOnlyDictionary<string, long> amounts) => amounts.Count == 0 ? "0" : string.Join(", ", amounts.Select(a => Money(a.Key, a.Value)));

    private static string Money(string currency, long minor)
    {
        var decimals = currency is "JPY" or "KRW" or "CLP" ? 0 : 2;
        var value = minor / (decimals == 0 ? 1m : 100m);
        return Html.Encode($"{value.ToString($"N{decimals}", CultureInfo.InvariantCulture)} {currency}");
    }
}
