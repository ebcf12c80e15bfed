using System.Net;
using System.Text;
using System.Text.Json;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Stripe;
using Intents = Stripe.PaymentIntentService;
using Refunds = Stripe.RefundService;
using StripeRefund = Stripe.Refund;

namespace Commerce.Payments.Providers.Stripe;

/// <summary>
/// Stripe: a part is a PaymentIntent that is confirmed with its token and captured by us. Our references travel in the metadata,
/// so that a webhook finds its payment before the answer of our own call has come.
/// </summary>
public sealed class StripeProvider(IHttpClientFactory clients, IOptions<StripeOptions> options, TimeProvider time) : IPaymentProvider
{
    public const string Client = "stripe";

    private const string Reference = "reference";
    private const string Key = "key";
    private const string Unchargeable = "amount_not_chargeable";

    private static readonly List<string> WithCharge = ["latest_charge"];

    public string Name => "stripe";

    public Task<Authorisation> Authorise(AuthoriseRequest request, string key, CancellationToken cancellationToken) => Call("authorise", async stripe =>
    {
        var boleto = request.Method == "BOLETO";
        var create = new PaymentIntentCreateOptions
        {
            Amount = Count(request.Amount),
            Currency = Lower(request.Amount.Currency),
            PaymentMethod = request.Token,
            AllowedPaymentMethodTypes = [boleto ? "boleto" : "card"],
            // A slip is paid and thereby taken; Stripe holds nothing of it.
            CaptureMethod = boleto ? "automatic" : "manual",
            Confirm = true,
            ReturnUrl = options.Value.ReturnUrl,
            Metadata = new Dictionary<string, string> { [Reference] = request.Reference, [Key] = key, ["store_id"] = request.StoreId },
        };
        if (!boleto)
        {
            create.PaymentMethodOptions = new PaymentIntentPaymentMethodOptionsOptions
            {
                Card = new PaymentIntentPaymentMethodOptionsCardOptions
                {
                    RequestMulticapture = "if_available",
                    Installments = request.Instalments > 1
                        ? new PaymentIntentPaymentMethodOptionsCardInstallmentsOptions
                        {
                            Enabled = true,
                            Plan = new PaymentIntentPaymentMethodOptionsCardInstallmentsPlanOptions { Count = request.Instalments, Interval = "month", Type = "fixed_count" },
                        }
                        : null,
                },
            };
        }

        try
        {
            return Read(await new Intents(stripe).CreateAsync(create, Once(key), cancellationToken));
        }
        catch (StripeException exception) when (exception.StripeError?.PaymentIntent is { } declined)
        {
            return Read(declined);
        }
    });

    // Within a day the key alone would do; after that Stripe has forgotten it, and its search has long caught up.
    public Task<Authorisation?> FindByKey(string key, CancellationToken cancellationToken) => Call("find", async stripe =>
    {
        var found = await new Intents(stripe).SearchAsync(
            new PaymentIntentSearchOptions { Query = $"metadata['{Key}']:'{key}'", Limit = 1 }, cancellationToken: cancellationToken);
        return found.Data is [var first, ..] ? Read(first) : null;
    });

    public Task<Authorisation> Get(string id, CancellationToken cancellationToken) => Call("get", async stripe =>
    {
        var intent = await Find(stripe, id, cancellationToken);
        // The charge's own sum counts refunds that are pending, or failed since.
        var refunded = intent.LatestCharge is { AmountRefunded: > 0 }
            ? (await RefundsOf(stripe, id, cancellationToken)).Where(r => r.Status == "succeeded").Sum(r => r.Amount)
            : 0;
        return Read(intent) with { Refunded = StripeAmount.Read(refunded, intent.Currency).Minor };
    });

    public Task<Authorisation> Capture(string id, Money amount, string key, CancellationToken cancellationToken) => Call("capture", async stripe =>
    {
        var intent = await Find(stripe, id, cancellationToken);
        var count = Count(amount);
        var capture = new PaymentIntentCaptureOptions { AmountToCapture = count };
        // Where more can follow, Stripe is told to go on holding the rest; else it lets go of it. Made of what never changes: the
        // same key must come with the same request.
        if (count != intent.Amount && intent.LatestCharge?.PaymentMethodDetails?.Card?.Multicapture?.Status == "available")
            capture.FinalCapture = false;
        return Read(await new Intents(stripe).CaptureAsync(id, capture, Once(key), cancellationToken));
    });

    public Task<Authorisation> Void(string id, string key, CancellationToken cancellationToken) => Call("void", async stripe =>
    {
        var now = Read(await Find(stripe, id, cancellationToken));
        if (now.Voided)
            return now;
        if (now.Status == AuthorisationStatus.Declined || now.Captured == now.Amount.Minor)
            throw new ProviderRefusedException(Name, "not_voidable", $"{id} was declined, or captured in full.");
        var intents = new Intents(stripe);
        return Read(now.Captured > 0
            ? await intents.CaptureAsync(id, new PaymentIntentCaptureOptions { AmountToCapture = 0, FinalCapture = true }, Once(key), cancellationToken)
            : await intents.CancelAsync(id, new PaymentIntentCancelOptions(), Once(key), cancellationToken));
    });

    public Task<ProviderRefund> Refund(string id, Money amount, string reference, string key, CancellationToken cancellationToken) => Call("refund", async stripe =>
    {
        var create = new RefundCreateOptions { PaymentIntent = id, Amount = Count(amount), Metadata = new Dictionary<string, string> { [Reference] = reference } };
        return Read(await new Refunds(stripe).CreateAsync(create, Once(key), cancellationToken));
    });

    public Task<ProviderRefund?> FindRefund(string id, string reference, CancellationToken cancellationToken) => Call("find-refund", async stripe =>
        (await RefundsOf(stripe, id, cancellationToken)).FirstOrDefault(r => ReferenceOf(r.Metadata) == reference) is { } refund ? Read(refund) : null);

    public ProviderNotice ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body)
    {
        StripeSignature.Require(headers, body.Span, time.GetUtcNow(), options.Value.WebhookTolerance, options.Value.WebhookSecret);
        Event webhook;
        try
        {
            // Whatever version of its API Stripe writes, what is read here has been there from the start.
            webhook = EventUtility.ParseEvent(Encoding.UTF8.GetString(body.Span), throwOnApiVersionMismatch: false);
        }
        catch (Exception exception) when (exception is StripeException or JsonException or ArgumentException or InvalidCastException or InvalidOperationException or KeyNotFoundException)
        {
            throw new Failure(ErrorReason.MalformedRequest, "The body is not an event of Stripe.", exception);
        }

        try
        {
            return webhook switch
            {
                { Id: null } => throw new Failure(ErrorReason.MalformedRequest, "The body is not an event of Stripe: id is required."),
                { Data.Object: PaymentIntent { Id: not null, Currency: not null } intent } => new ProviderNotice(webhook.Id, intent.Id, Read(intent)),
                { Data.Object: StripeRefund { Id: not null, PaymentIntentId: not null, Currency: not null } refund } => new ProviderNotice(webhook.Id, refund.PaymentIntentId, null, Read(refund)),
                { Data.Object: Charge { PaymentIntentId: not null } charge } => new ProviderNotice(webhook.Id, charge.PaymentIntentId, null),
                _ => new ProviderNotice(webhook.Id, null, null),
            };
        }
        catch (ProviderFaultException fault)
        {
            throw new Failure(ErrorReason.MalformedRequest, fault.Message, fault);
        }
    }

    private static Authorisation Read(PaymentIntent intent)
    {
        var error = intent.LastPaymentError;
        var status = intent.Status switch
        {
            "requires_payment_method" when error is not null => AuthorisationStatus.Declined,
            "requires_capture" or "succeeded" => AuthorisationStatus.Authorised,
            _ => AuthorisationStatus.Pending,
        };
        return new Authorisation(
            intent.Id,
            ReferenceOf(intent.Metadata),
            status,
            status == AuthorisationStatus.Declined ? error!.DeclineCode ?? error.Code ?? "declined" : null,
            StripeAmount.Read(intent.Amount, intent.Currency),
            StripeAmount.Read(intent.AmountReceived, intent.Currency).Minor,
            Refunded: 0,
            // What was not captured of one that is done is held no longer.
            Voided: intent.Status == "canceled" || (intent.Status == "succeeded" && intent.AmountReceived < intent.Amount),
            intent.Status == "requires_action" ? intent.NextAction?.RedirectToUrl?.Url ?? intent.NextAction?.BoletoDisplayDetails?.HostedVoucherUrl : null);
    }

    private static ProviderRefund Read(StripeRefund refund) => new(
        refund.Id,
        refund.PaymentIntentId,
        ReferenceOf(refund.Metadata),
        refund.Status switch
        {
            "succeeded" => RefundStatus.Succeeded,
            "failed" or "canceled" => RefundStatus.Failed,
            _ => RefundStatus.Pending,
        },
        refund.Status is "failed" or "canceled" ? refund.FailureReason ?? refund.Status : null,
        StripeAmount.Read(refund.Amount, refund.Currency));

    private static Task<PaymentIntent> Find(StripeClient stripe, string id, CancellationToken cancellationToken) =>
        new Intents(stripe).GetAsync(id, new PaymentIntentGetOptions { Expand = WithCharge }, cancellationToken: cancellationToken);

    private static async Task<List<StripeRefund>> RefundsOf(StripeClient stripe, string id, CancellationToken cancellationToken)
    {
        var refunds = new List<StripeRefund>();
        await foreach (var refund in new Refunds(stripe).ListAutoPagingAsync(new RefundListOptions { PaymentIntent = id, Limit = 100 }, cancellationToken: cancellationToken))
            refunds.Add(refund);
        return refunds;
    }

    private long Count(Money amount) => StripeAmount.Of(amount)
        ?? throw new ProviderRefusedException(Name, Unchargeable, $"Stripe cannot move exactly {amount}.");

    private async Task<T> Call<T>(string operation, Func<StripeClient, Task<T>> call)
    {
        var start = time.GetTimestamp();
        var outcome = "unavailable";
        try
        {
            using var http = clients.CreateClient(Client);
            // It never tries again by itself: who calls stores the intent first and decides.
            var stripe = new StripeClient(
                options.Value.ApiKey, httpClient: new SystemNetHttpClient(http, maxNetworkRetries: 0, enableTelemetry: false), apiBase: http.BaseAddress!.ToString().TrimEnd('/'));
            var answer = await call(stripe);
            outcome = "ok";
            return answer;
        }
        catch (ProviderRefusedException)
        {
            outcome = "refused";
            throw;
        }
        // Only these say that Stripe understood and will not. Anything else (a key in use, a limit, a gateway, a wrong secret) may
        // pass, and the money may or may not have moved: ask again.
        catch (StripeException exception) when (exception.HttpStatusCode is HttpStatusCode.PaymentRequired or HttpStatusCode.BadRequest
            && exception.StripeError is { Type: not "idempotency_error" } error)
        {
            outcome = "refused";
            throw new ProviderRefusedException(Name, error.DeclineCode ?? error.Code ?? error.Type ?? "refused", error.Message ?? "no reason given");
        }
        catch (StripeException exception)
        {
            throw new ProviderUnavailableException(Name, $"{operation} answered {(int)exception.HttpStatusCode} {exception.StripeError?.Code}.", exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw new ProviderUnavailableException(Name, $"{operation} had no answer ({exception.GetType().Name}).", exception);
        }
        finally
        {
            KeyValuePair<string, object?> provider = new("provider", Name), what = new("operation", operation);
            PaymentsTelemetry.ProviderCalls.Add(1, provider, what, new KeyValuePair<string, object?>("outcome", outcome));
            PaymentsTelemetry.ProviderDuration.Record(time.GetElapsedTime(start).TotalSeconds, provider, what);
        }
    }

    private static RequestOptions Once(string key) => new() { IdempotencyKey = key };

    private static string ReferenceOf(Dictionary<string, string>? metadata) => metadata?.GetValueOrDefault(Reference) ?? "";

    private static string Lower(string text) => text.ToLowerInvariant();
}
