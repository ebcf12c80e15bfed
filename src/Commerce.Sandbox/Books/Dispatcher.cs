using Commerce.Sandbox.Carriers;
using Commerce.Sandbox.Payments;
using Commerce.Sandbox.Webhooks;

namespace Commerce.Sandbox.Books;

/// <summary>Takes from the agenda what is due and has it done, many rows to a transaction.</summary>
internal sealed partial class Dispatcher(Agenda agenda, BookKeeper books, LabelDesk labels, PaymentProvider payments, WebhookSender sender, TimeProvider time, ILogger<Dispatcher> logger)
    : BackgroundService
{
    private const int AtOnce = 128;
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var due = await agenda.TakeDueAsync(AtOnce, stoppingToken);
            var rows = new List<Entry>(due.Count);
            foreach (var entry in due)
            {
                switch (entry.Errand)
                {
                    case Errand.ShipmentsWebhook:
                        sender.Send(WebhookBook.Shipments, entry.Seq);
                        break;
                    case Errand.PaymentsWebhook:
                        sender.Send(WebhookBook.Payments, entry.Seq);
                        break;
                    default:
                        rows.Add(entry);
                        break;
                }
            }

            if (rows.Count == 0) continue;
            try
            {
                await books.WriteAsync(page =>
                {
                    foreach (var row in rows)
                    {
                        if (row.Errand == Errand.Scan) labels.Scan(page, row.Seq);
                        else payments.Resolve(page, row.Seq);
                    }
                });
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // The books still hold what was due; only the reminder would be lost.
                Failed(logger, rows.Count, e);
                var later = time.GetUtcNow().Add(Again).ToUnixTimeMilliseconds();
                agenda.Add([.. rows.Select(r => r with { DueAt = later })]);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} due entries failed; they are tried again")]
    private static partial void Failed(ILogger logger, int count, Exception error);
}
