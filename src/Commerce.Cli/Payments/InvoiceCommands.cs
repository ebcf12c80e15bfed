using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Payments.V1;
using Spectre.Console;

namespace Commerce.Cli.Payments;

/// <summary>`./commerce invoice …`.</summary>
internal static class InvoiceCommands
{
    private const string Invoices = "invoices/";

    public static Command Create()
    {
        var invoice = new Command("invoice", "Show invoices, receipts and credit notes, and save them as PDF.");
        invoice.Subcommands.Add(Get());
        invoice.Subcommands.Add(List());
        return invoice;
    }

    private static Command Get()
    {
        var id = new Argument<string>("ID") { Description = "A document, for example main.INV-2026-000042, or an Order ID: then its invoice." };
        var pdf = new Option<string?>("--pdf") { Description = "Save it as a PDF file of this name." };
        var json = OrderCommands.JsonOption();
        var command = new Command("get", "Show a document, or save it as PDF.\n\nExample: ./commerce invoice get ORD-7K3M9QX-T2F8CRW --pdf invoice.pdf") { id, pdf, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                if (await Find(api, parse.GetRequiredValue(id), cancellationToken) is not { } document)
                {
                    await Console.Error.WriteLineAsync("The order has no invoice; it gets one moments after it was paid.");
                    return Exit.NotFound;
                }

                if (parse.GetValue(pdf) is { } file)
                {
                    var rendered = await api.Invoices.RenderInvoiceAsync(new RenderInvoiceRequest { Name = document.Name }, OrderCommands.Options(cancellationToken));
                    try
                    {
                        await File.WriteAllBytesAsync(file, rendered.Content.ToByteArray(), cancellationToken);
                    }
                    catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                    {
                        throw new UsageException($"Cannot write {file}: {exception.Message}");
                    }
                }

                if (parse.GetValue(json))
                    Print.Json(document);
                else
                    Write(document);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command List()
    {
        var store = Listing.Store("The store; without --order.");
        var order = new Option<string?>("--order") { Description = "Only of this order." };
        var kind = new Option<Invoice.Types.Kind>("--kind") { Description = "Only Invoice, Receipt or CreditNote." };
        var limit = Listing.Limit("documents", 50);
        var json = OrderCommands.JsonOption();
        var command = new Command("list", "List documents, of a store newest first.\n\nExample: ./commerce invoice list --store main --kind CreditNote") { store, order, kind, limit, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            api =>
            {
                var request = new ListInvoicesRequest { Kind = parse.GetValue(kind) };
                if (parse.GetValue(order) is { } of)
                    request.OrderId = of;
                else
                    request.StoreId = parse.GetValue(store) ?? "";
                return Listing.Show(
                    parse.GetValue(limit),
                    parse.GetValue(json),
                    async (size, token) =>
                    {
                        (request.PageSize, request.PageToken) = (size, token);
                        return await api.Invoices.ListInvoicesAsync(request, OrderCommands.Options(cancellationToken));
                    },
                    page => (page.Invoices, page.NextPageToken),
                    Write);
            },
            cancellationToken));
        return command;
    }

    private static async Task<Invoice?> Find(SuiteApi api, string id, CancellationToken cancellationToken)
    {
        if (id.Contains('.', StringComparison.Ordinal))
            return await api.Invoices.GetInvoiceAsync(new GetInvoiceRequest { Name = id.StartsWith(Invoices, StringComparison.Ordinal) ? id : Invoices + id }, OrderCommands.Options(cancellationToken));
        var request = new ListInvoicesRequest { OrderId = id, Kind = Invoice.Types.Kind.Invoice };
        return (await api.Invoices.ListInvoicesAsync(request, OrderCommands.Options(cancellationToken))).Invoices.FirstOrDefault();
    }

    private static void Write(Invoice document) => AnsiConsole.MarkupLine(
        $"[bold]{Print.Escape(document.Name[Invoices.Length..])}[/]  {document.Kind}  {Print.Amount(document.Total)}  [dim]{document.IssueTime.ToDateTimeOffset():yyyy-MM-dd}  {Print.Escape(document.OrderId)} {Print.Escape(document.CorrectedNumber)}[/]");
}
