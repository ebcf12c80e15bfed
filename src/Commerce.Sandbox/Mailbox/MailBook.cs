using System.Text.Json;
using Commerce.Sandbox.Books;
using Commerce.Sandbox.Http;
using Commerce.Sandbox.Payments;
using Microsoft.Data.Sqlite;

namespace Commerce.Sandbox.Mailbox;

/// <summary>A mail as it arrived. <c>Duplicates</c> counts the times that the same Message-ID came again.</summary>
internal sealed record Mail(
    string Id,
    string MessageId,
    string From,
    string To,
    string Subject,
    string ReceivedAt,
    string Text,
    string? Html,
    IReadOnlyDictionary<string, string> Headers,
    int Duplicates);

/// <summary>The mails' SQL.</summary>
internal static class MailBook
{
    private const string Columns = "id, message_id, sender, recipients, subject, received_at, text, html, headers, duplicates";

    private const string Matching =
        "FROM mails WHERE ($1 IS NULL OR instr(lower(recipients), lower($1)) > 0) AND ($2 IS NULL OR instr(lower(subject), lower($2)) > 0)";

    public static void Insert(WritingPage page, Mail mail, long receivedAt) => page.Execute(
        """
        INSERT INTO mails (id, message_id, sender, recipients, subject, received_at, text, html, headers)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (message_id) DO UPDATE SET duplicates = duplicates + 1
        """,
        mail.Id,
        mail.MessageId,
        mail.From,
        mail.To,
        mail.Subject,
        receivedAt,
        mail.Text,
        mail.Html,
        Json.Text(mail.Headers));

    public static Mail? Find(Page page, string id) => page.First($"SELECT {Columns} FROM mails WHERE id = $1", Map, id);

    public static (List<Mail> Messages, long Total) Search(Page page, string? to, string? subject, int limit) =>
        (page.All($"SELECT {Columns} {Matching} ORDER BY seq DESC LIMIT $3", Map, to, subject, limit), page.Count($"SELECT count(*) {Matching}", to, subject));

    private static Mail Map(SqliteDataReader r) => new(
        r.GetString(0),
        r.GetString(1),
        r.GetString(2),
        r.GetString(3),
        r.GetString(4),
        Authorization.Rfc3339(r.GetInt64(5)),
        r.GetString(6),
        r.IsDBNull(7) ? null : r.GetString(7),
        JsonSerializer.Deserialize<Dictionary<string, string>>(r.GetString(8), Json.Options)!,
        r.GetInt32(9));
}
