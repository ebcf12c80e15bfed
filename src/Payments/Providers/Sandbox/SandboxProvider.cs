using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Commerce.Payments.Webhooks;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;

namespace Commerce.Payments.Providers.Sandbox;

/// <summary>The Sandbox's payment provider, over HTTP.</summary>
public sealed class SandboxProvider(IHttpClientFactory clients, IOptions<WebhookOptions> webhooks, TimeProvider time) : IPaymentProvider
{
    public const string Client = "sandbox-payments";

    private const string Base = "payments/v1/authorizations";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public string Name => "sandbox";

    public async Task<Authorisation> Authorise(AuthoriseRequest request, string key, CancellationToken cancellationToken)
    {
        var body = new AuthorizationBody(
            request.Reference, Amount.Of(request.Amount), new MethodBody(Lower(request.Method), request.Token), request.Instalments, request.StoreId);
        return Read(await Send<AuthorizationView>(HttpMethod.Post, Base, "authorise", body, key, cancellationToken));
    }

    public async Task<Authorisation?> FindByKey(string key, CancellationToken cancellationToken)
    {
        var found = await Send<AuthorizationList>(
            HttpMethod.Get, $"{Base}?idempotency_key={Uri.EscapeDataString(key)}", "find", null, null, cancellationToken);
        return found.Authorizations is [var first, ..] ? Read(first) : null;
    }

    public async Task<Authorisation> Get(string id, CancellationToken cancellationToken) =>
        Read(await Send<AuthorizationView>(HttpMethod.Get, Path(id), "get", null, null, cancellationToken));

    public async Task<Authorisation> Capture(string id, Money amount, string key, CancellationToken cancellationToken) =>
        Read(await Send<AuthorizationView>(HttpMethod.Post, Path(id) + "/capture", "capture", new AmountBody(Amount.Of(amount), null), key, cancellationToken));

    public async Task<Authorisation> Void(string id, string key, CancellationToken cancellationToken) =>
        Read(await Send<AuthorizationView>(HttpMethod.Post, Path(id) + "/void", "void", new AmountBody(null, null), key, cancellationToken));

    public async Task<ProviderRefund> Refund(string id, Money amount, string reference, string key, CancellationToken cancellationToken) =>
        Read(await Send<RefundView>(HttpMethod.Post, Path(id) + "/refunds", "refund", new AmountBody(Amount.Of(amount), reference), key, cancellationToken));

    public async Task<ProviderRefund?> FindRefund(string id, string reference, CancellationToken cancellationToken)
    {
        var found = await Send<RefundList>(
            HttpMethod.Get, $"{Path(id)}/refunds?reference={Uri.EscapeDataString(reference)}", "find-refund", null, null, cancellationToken);
        return found.Refunds is [.., var last] ? Read(last) : null;
    }

    public ProviderNotice ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body)
    {
        WebhookSignature.Require(headers, body.Span, time.GetUtcNow(), webhooks.Value.Secret);
        var id = headers[WebhookSignature.IdHeader].ToString();
        WebhookBody? webhook;
        try
        {
            webhook = JsonSerializer.Deserialize<WebhookBody>(body.Span, Json);
        }
        catch (JsonException exception)
        {
            throw new Failure(ErrorReason.MalformedRequest, "The body is not a webhook of this provider.", exception);
        }

        if (webhook is not { Type: { } type, Data: { Id: { } dataId } data })
            throw new Failure(ErrorReason.MalformedRequest, "The body is not a webhook of this provider: type and data.id are required.");
        if (type.StartsWith("authorization.", StringComparison.Ordinal))
            return new ProviderNotice(id, dataId, Read(data));
        return type.StartsWith("refund.", StringComparison.Ordinal)
            ? new ProviderNotice(id, data.AuthorizationId, null, Read(new RefundView(dataId, data.AuthorizationId, data.Reference, data.Amount, data.Status, data.FailureReason)))
            : new ProviderNotice(id, null, null);
    }

    private async Task<T> Send<T>(HttpMethod method, string path, string operation, object? body, string? key, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var outcome = "unavailable";
        try
        {
            using var client = clients.CreateClient(Client);
            using var request = new HttpRequestMessage(method, path);
            if (key is not null)
                request.Headers.Add("Idempotency-Key", key);
            if (body is not null)
                request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, body.GetType(), Json)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var response = await client.SendAsync(request, cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                var answer = JsonSerializer.Deserialize<T>(await response.Content.ReadAsByteArrayAsync(cancellationToken), Json)
                    ?? throw new ProviderUnavailableException(Name, $"{operation} answered null.");
                outcome = "ok";
                return answer;
            }

            var problem = await ReadProblem(response, cancellationToken);
            // Only these two say that the provider understood and will not. Anything else (a key used otherwise, a wrong
            // address, a gateway, a limit) may pass, and the money may or may not have moved: ask again.
            if (response.StatusCode is HttpStatusCode.UnprocessableEntity or HttpStatusCode.Conflict && problem.Code != "idempotency_key_reused")
            {
                outcome = "refused";
                throw new ProviderRefusedException(Name, problem.Code ?? "refused", problem.Detail ?? "no reason given");
            }

            throw new ProviderUnavailableException(Name, $"{operation} answered {(int)response.StatusCode} {problem.Code}.");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ProviderUnavailableException(Name, $"{operation} had no answer ({exception.GetType().Name}).", exception);
        }
        finally
        {
            KeyValuePair<string, object?> provider = new("provider", Name), call = new("operation", operation);
            PaymentsTelemetry.ProviderCalls.Add(1, provider, call, new KeyValuePair<string, object?>("outcome", outcome));
            PaymentsTelemetry.ProviderDuration.Record(time.GetElapsedTime(start).TotalSeconds, provider, call);
        }
    }

    private static async Task<ProblemBody> ReadProblem(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return JsonSerializer.Deserialize<ProblemBody>(await response.Content.ReadAsByteArrayAsync(cancellationToken), Json) ?? new ProblemBody(null, null);
        }
        catch (JsonException)
        {
            // A gateway in between speaks HTML.
            return new ProblemBody(null, null);
        }
    }

    private static string Path(string id) => $"{Base}/{Uri.EscapeDataString(id)}";

    private static string Lower(string method) => method.ToLowerInvariant();

    private static Authorisation Read(AuthorizationView view)
    {
        if (view is not { Id.Length: > 0, Reference: not null, Amount: { Currency: not null } amount })
            throw new Failure(ErrorReason.MalformedRequest, "An authorisation needs id, reference and amount.");
        var status = view.Status switch
        {
            "authorized" => AuthorisationStatus.Authorised,
            "declined" => AuthorisationStatus.Declined,
            _ => AuthorisationStatus.Pending,
        };
        return new Authorisation(
            view.Id,
            view.Reference,
            status,
            view.DeclineReason,
            new Money(amount.Minor, amount.Currency),
            view.Captured?.Minor ?? 0,
            view.Refunded?.Minor ?? 0,
            view.Voided is { Minor: > 0 });
    }

    private static ProviderRefund Read(RefundView view)
    {
        if (view is not { Id.Length: > 0, AuthorizationId: not null, Reference: not null, Amount: { Currency: not null } amount })
            throw new Failure(ErrorReason.MalformedRequest, "A refund needs id, authorization_id, reference and amount.");
        var status = view.Status switch
        {
            "succeeded" => RefundStatus.Succeeded,
            "failed" => RefundStatus.Failed,
            _ => RefundStatus.Pending,
        };
        return new ProviderRefund(view.Id, view.AuthorizationId, view.Reference, status, view.FailureReason, new Money(amount.Minor, amount.Currency));
    }

    private sealed record Amount(string Currency, long Minor)
    {
        public static Amount Of(Money money) => new(money.Currency, money.Minor);
    }

    private sealed record MethodBody(string Type, string Token);

    private sealed record AuthorizationBody(string Reference, Amount Amount, MethodBody Method, int Installments, string Account);

    private sealed record AmountBody(Amount? Amount, string? Reference);

    private sealed record AuthorizationView(
        string Id, string Reference, string Status, string? DeclineReason, Amount Amount, Amount? Captured, Amount? Refunded, Amount? Voided,
        string? AuthorizationId, string? FailureReason);

    private sealed record AuthorizationList(IReadOnlyList<AuthorizationView> Authorizations);

    private sealed record RefundView(string Id, string? AuthorizationId, string? Reference, Amount? Amount, string? Status, string? FailureReason);

    private sealed record RefundList(IReadOnlyList<RefundView> Refunds);

    private sealed record ProblemBody(string? Code, string? Detail);

    private sealed record WebhookBody(string? Type, AuthorizationView? Data);
}
