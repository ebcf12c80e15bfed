using System.Globalization;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Payments.Documents;

/// <summary>commerce.payments.v1.InvoiceService.</summary>
public sealed class InvoiceGrpcService(DocumentStore documents) : InvoiceService.InvoiceServiceBase
{
    private const string Prefix = "invoices/";
    private const int DefaultPage = 50;
    private const int LargestPage = 500;
    private const int LongestStoreId = 40;

    public override async Task<Invoice> GetInvoice(GetInvoiceRequest request, ServerCallContext context) =>
        ToProto(Shown(await Find(request.Name, context.CancellationToken), context));

    public override async Task<RenderInvoiceResponse> RenderInvoice(RenderInvoiceRequest request, ServerCallContext context)
    {
        var document = await Find(request.Name, context.CancellationToken);
        if (document.IsRestricted && !MaySeeRestricted(context))
        {
            throw new Failure(
                ErrorReason.DocumentRestricted,
                $"The customer of {document.Number} was erased. It is kept because the law says so, and shown to holders of {ScopeSet.NameOf(Scope.DocumentsLegal)} alone.");
        }

        var logo = await documents.Logo(document.Content.LogoHash, context.CancellationToken);
        return new RenderInvoiceResponse
        {
            Content = UnsafeByteOperations.UnsafeWrap(PdfDocumentRenderer.Render(document, logo)),
            ContentType = "application/pdf",
            FileName = $"{document.Id}.pdf",
        };
    }

    public override async Task<ListInvoicesResponse> ListInvoices(ListInvoicesRequest request, ServerCallContext context)
    {
        var errors = new List<FieldError>();
        if ((request.StoreId.Length == 0) == (request.OrderId.Length == 0) || request.StoreId.Length > LongestStoreId)
            errors.Add(new FieldError("store_id", "Name the store, for example \"main\", or give an order_id; one of the two."));
        if (request.PageSize is < 0 or > LargestPage)
            errors.Add(new FieldError("page_size", $"Must be between 1 and {LargestPage}, or 0 for {DefaultPage}."));
        if (!System.Enum.IsDefined(request.Kind))
            errors.Add(new FieldError("kind", "Is not a kind of document."));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        DocumentKind? kind = request.Kind == Invoice.Types.Kind.Unspecified ? null : (DocumentKind)request.Kind;
        if (request.OrderId.Length > 0)
        {
            // An order has few: they are one page.
            var orderId = PaymentNames.OrderId("order_id", request.OrderId, "Is not an Order ID, such as \"ORD-7K3M9QX-T2F8CRW\".");
            var all = await documents.Of(orderId, context.CancellationToken);
            return new ListInvoicesResponse { Invoices = { all.Where(d => kind is null || d.Kind == kind).Select(d => ToProto(Shown(d, context))) } };
        }

        var size = request.PageSize == 0 ? DefaultPage : request.PageSize;
        var found = await documents.List(request.StoreId, kind, After(request), size + 1, context.CancellationToken);
        var response = new ListInvoicesResponse { Invoices = { found.Take(size).Select(d => ToProto(Shown(d, context))) } };
        if (found.Count > size)
        {
            var last = found[size - 1];
            response.NextPageToken = PageToken.Encode(request, string.Create(CultureInfo.InvariantCulture, $"{last.IssuedAt.UtcTicks} {(int)last.Kind} {last.Serial}"));
        }

        return response;
    }

    public override async Task<LookupInvoicesResponse> LookupInvoices(LookupInvoicesRequest request, ServerCallContext context)
    {
        if (request.Numbers.Count is 0 or > LargestPage)
            throw Failure.Invalid(new FieldError("numbers", $"Has {request.Numbers.Count} numbers; 1 to {LargestPage} are allowed."));
        if (request.StoreId.Length > LongestStoreId)
            throw Failure.Invalid(new FieldError("store_id", "Name the store, for example \"main\", or none."));
        var only = request.StoreId.Length > 0 ? request.StoreId : null;
        var asked = new List<(string?, DocumentKind, int, int)>();
        foreach (var number in request.Numbers)
        {
            if (DocumentNumbers.ReadNumber(number) is var (kind, year, serial))
                asked.Add((only, kind, year, serial));
            else if (DocumentNumbers.Read(number) is { } id && (only is null || only == id.StoreId))
                asked.Add(id);
        }

        var found = asked.Count == 0 ? [] : await documents.Lookup(asked, context.CancellationToken);
        return new LookupInvoicesResponse
        {
            Matches =
            {
                found.Select(d => (d.StoreId, d.OrderId, Number: DocumentNumbers.Of(d.Kind, d.Year, d.Serial))).Select(d => new InvoiceMatch
                {
                    Name = $"{Prefix}{d.StoreId}.{d.Number}", Number = d.Number, StoreId = d.StoreId, OrderId = d.OrderId,
                }),
            },
        };
    }

    private async Task<IssuedDocument> Find(string name, CancellationToken cancellationToken)
    {
        const string form = "Give \"invoices/{invoice_id}\", for example \"invoices/main.INV-2026-000042\".";
        if (!name.StartsWith(Prefix, StringComparison.Ordinal) || DocumentNumbers.Read(name[Prefix.Length..]) is not var (storeId, kind, year, serial))
            throw Failure.Invalid(new FieldError("name", form));
        return (Principal.CurrentMaySee(storeId) ? await documents.Find(storeId, kind, year, serial, cancellationToken) : null)
            ?? throw new Failure(ErrorReason.InvoiceNotFound, $"There is no document {name[Prefix.Length..]}.");
    }

    private static IssuedDocument Shown(IssuedDocument document, ServerCallContext context) =>
        document.IsRestricted && !MaySeeRestricted(context) ? document.WithoutCustomer() : document;

    private static bool MaySeeRestricted(ServerCallContext context) => Principal.Of(context).Scopes.Has(Scope.DocumentsLegal);

    private static Invoice ToProto(IssuedDocument document)
    {
        var content = document.Content;
        Google.Type.Money Amount(long minor) => new Money(minor, content.Currency).ToProto();
        return new Invoice
        {
            Name = Prefix + document.Id,
            Number = document.Number,
            Kind = (Invoice.Types.Kind)document.Kind,
            StoreId = document.StoreId,
            OrderId = document.OrderId,
            Refund = document.Kind != DocumentKind.CreditNote ? "" : string.Create(CultureInfo.InvariantCulture, $"payments/{document.OrderId}/refunds/{document.RefundNumber}"),
            CorrectedNumber = content.Corrects,
            IssueTime = Timestamp.FromDateTimeOffset(document.IssuedAt),
            StoreName = content.StoreName,
            LanguageCode = content.Language,
            CustomerName = content.CustomerName,
            CustomerAddressLines = { content.CustomerAddress },
            Lines =
            {
                content.Lines.Select(l => new Invoice.Types.Line
                {
                    Sku = l.Sku, Title = l.Title, Quantity = l.Quantity, UnitPrice = Amount(l.UnitPriceMinor), Amount = Amount(l.AmountMinor),
                }),
            },
            Subtotal = Amount(content.SubtotalMinor),
            ShippingCharge = Amount(content.ShippingMinor),
            Adjustments = { content.Adjustments.Select(a => new Invoice.Types.Adjustment { Label = a.Label, Amount = Amount(a.AmountMinor) }) },
            Total = Amount(content.TotalMinor),
            Payments = { content.Payments.Select(p => new Invoice.Types.Payment { Method = p.Method, Instalments = p.Instalments, Amount = Amount(p.AmountMinor) }) },
            Note = content.Note,
            Restricted = document.IsRestricted,
            Taxes = { (content.Taxes ?? []).Select(t => new Invoice.Types.Tax { BasisPoints = t.BasisPoints, Net = Amount(t.NetMinor), Tax_ = Amount(t.TaxMinor), Gross = Amount(t.GrossMinor) }) },
        };
    }

    private static (DateTimeOffset, DocumentKind, int)? After(ListInvoicesRequest request)
    {
        if (PageToken.Decode(request) is not { } position)
            return null;
        var invariant = CultureInfo.InvariantCulture;
        return position.Split(' ') is [var ticks, var kind, var serial]
            && long.TryParse(ticks, NumberStyles.None, invariant, out var at) && at <= DateTime.MaxValue.Ticks
            && short.TryParse(kind, NumberStyles.None, invariant, out var of) && int.TryParse(serial, NumberStyles.None, invariant, out var number)
                ? (new DateTimeOffset(at, TimeSpan.Zero), (DocumentKind)of, number)
                : throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");
    }
}
