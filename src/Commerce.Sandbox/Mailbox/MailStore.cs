using System.Buffers;
using Commerce.Sandbox.Books;
using Commerce.Sandbox.Control;
using Commerce.Sandbox.Payments;
using Microsoft.Data.Sqlite;
using MimeKit;
using SmtpServer;
using SmtpServer.Mail;
using SmtpServer.Protocol;
using SmtpServer.Storage;

namespace Commerce.Sandbox.Mailbox;

/// <summary>Puts a received mail into the books; "250 Ok" only after the commit.</summary>
internal sealed partial class MailStore(BookKeeper books, KnobBoard knobs, Chance chance, TimeProvider time, ILogger<MailStore> logger) : MessageStore
{
    public override async Task<SmtpResponse> SaveAsync(ISessionContext context, IMessageTransaction transaction, ReadOnlySequence<byte> buffer, CancellationToken cancellationToken)
    {
        if (chance.HitsNext(knobs.Current.SmtpRejectRate, "smtp_reject")) return new SmtpResponse((SmtpReplyCode)451, "mailbox busy, try again later");
        try
        {
            using var raw = new MemoryStream(buffer.ToArray());
            using var message = await MimeMessage.LoadAsync(raw, cancellationToken);
            var now = time.GetUtcNow();
            var id = $"mail_{Guid.CreateVersion7(now):N}";
            var mail = new Mail(
                id,
                string.IsNullOrWhiteSpace(message.MessageId) ? id : message.MessageId,
                message.From.Count > 0 ? message.From.ToString() : transaction.From.AsAddress(),
                string.Join(", ", transaction.To.Select(t => t.AsAddress())),
                message.Subject ?? "",
                Authorization.Rfc3339(now.ToUnixTimeMilliseconds()),
                message.TextBody ?? "",
                message.HtmlBody,
                message.Headers.GroupBy(h => h.Field, StringComparer.OrdinalIgnoreCase).ToDictionary(h => h.Key, h => string.Join("\n", h.Select(v => v.Value)), StringComparer.Ordinal),
                0);
            await books.WriteAsync(page => MailBook.Insert(page, mail, now.ToUnixTimeMilliseconds()));
            return SmtpResponse.Ok;
        }
        catch (SqliteException e)
        {
            // Left to the server it would be "554", as if something were wrong with the mail.
            NotKept(logger, e.Message);
            return new SmtpResponse((SmtpReplyCode)451, "the mailbox cannot keep it now, try again later");
        }
        catch (FormatException e)
        {
            NotAMail(logger, e.Message);
            return SmtpResponse.TransactionFailed;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A mail could not be kept: {Why}")]
    private static partial void NotKept(ILogger logger, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What arrived is no mail: {Why}")]
    private static partial void NotAMail(ILogger logger, string why);
}
