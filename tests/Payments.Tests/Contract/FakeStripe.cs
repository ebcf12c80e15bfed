using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Commerce.Payments.Providers.Stripe;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Commerce.Payments.Tests.Contract;

/// <summary>
/// Stripe's HTTP API, as far as payments need it and as its public documentation describes it: form-encoded requests, objects in
/// JSON, idempotency keys that replay the first answer, card errors with the intent in them, signed events. Payment methods are
/// Stripe's test ones.
/// </summary>
internal sealed class FakeStripe(string secret) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Intent> _intents = [];
    private readonly Dictionary<string, (string Request, int Status, string Body)> _answers = [];
    private readonly List<(HeaderDictionary Headers, byte[] Body)> _events = [];
    private WebApplication? _app;
    private int _numbers;

    public string Url => _app!.Urls.First();

    /// <summary>Answers are lost after the work was done.</summary>
    public bool LosesAnswers { get; set; }

    /// <summary>Answered to the next request instead of doing it.</summary>
    public (int Status, string Type, string Code)? NextError { get; set; }

    /// <summary>Refunds are pending until they are settled.</summary>
    public bool RefundsWait { get; set; }

    /// <summary>The account may capture more than once.</summary>
    public bool Multicapture { get; set; } = true;

    /// <summary>What the last creation of an intent was asked with.</summary>
    public IFormCollection? LastCreation { get; private set; }

    public IReadOnlyList<(HeaderDictionary Headers, byte[] Body)> Events
    {
        get
        {
            lock (_lock)
                return [.. _events];
        }
    }

    public async Task Start()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.MapPost("/v1/payment_intents", (HttpContext http, CancellationToken _) => Change(http, Create));
        _app.MapPost("/v1/payment_intents/{id}/capture", (string id, HttpContext http) => Change(http, form => Capture(Find(id), form)));
        _app.MapPost("/v1/payment_intents/{id}/cancel", (string id, HttpContext http) => Change(http, _ => Cancel(Find(id))));
        _app.MapPost("/v1/refunds", (HttpContext http, CancellationToken _) => Change(http, Refund));
        _app.MapGet("/v1/payment_intents/search", (HttpContext http) => Read(http, () =>
        {
            var key = http.Request.Query["query"].ToString().Split('\'')[3];
            return List(_intents.Values.Where(i => i.Metadata["key"] == key).Select(i => i.Render(expand: false)));
        }));
        _app.MapGet("/v1/payment_intents/{id}", (string id, HttpContext http) => Read(http, () => Find(id).Render(expand: true)));
        _app.MapGet("/v1/refunds", (HttpContext http) => Read(http, () => List(Find(http.Request.Query["payment_intent"].ToString()).Refunds.Select(Render))));
        await _app.StartAsync();
    }

    /// <summary>The shopper does what the bank asks of them, or not.</summary>
    public void Decide(string reference, bool pays)
    {
        lock (_lock)
        {
            foreach (var intent in _intents.Values.Where(i => i.Status == "requires_action" && i.Metadata["reference"].StartsWith(reference, StringComparison.Ordinal)))
            {
                intent.Status = pays ? "requires_capture" : "requires_payment_method";
                intent.Error = pays ? null : ("payment_intent_authentication_failure", null);
                Tell(pays ? "payment_intent.amount_capturable_updated" : "payment_intent.payment_failed", intent.Render(expand: false));
            }
        }
    }

    /// <summary>Every refund that is pending comes to its end.</summary>
    public void SettleRefunds(string reference, string status)
    {
        lock (_lock)
        {
            foreach (var refund in _intents.Values.SelectMany(i => i.Refunds).Where(r => r.Status == "pending" && r.Reference.StartsWith(reference, StringComparison.Ordinal)))
            {
                refund.Status = status;
                Tell(status == "failed" ? "refund.failed" : "refund.updated", Render(refund));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
    }

    private JsonObject Create(IFormCollection form)
    {
        LastCreation = form;
        var intent = new Intent
        {
            Id = $"pi_{++_numbers}",
            Amount = Number(form, "amount"),
            Currency = form["currency"].ToString(),
            Manual = form["capture_method"] == "manual",
            Multicapture = Multicapture && form["payment_method_options[card][request_multicapture]"] == "if_available",
            Metadata = form.Where(f => f.Key.StartsWith("metadata[", StringComparison.Ordinal)).ToDictionary(f => f.Key[9..^1], f => f.Value.ToString()),
        };
        if (intent.Amount < 1)
            throw new Refusal(400, "invalid_request_error", "parameter_invalid_integer");
        var decline = form["payment_method"].ToString() switch
        {
            "pm_card_visa_chargeDeclinedInsufficientFunds" => "insufficient_funds",
            "pm_card_visa_chargeDeclined" => "generic_decline",
            _ => null,
        };
        if (form["payment_method"].ToString() is "pm_none")
            throw new Refusal(400, "invalid_request_error", "resource_missing");
        _intents[intent.Id] = intent;
        if (decline is not null)
        {
            intent.Error = ("card_declined", decline);
            Tell("payment_intent.payment_failed", intent.Render(expand: false));
            throw new Refusal(402, "card_error", "card_declined", decline, intent.Render(expand: false));
        }

        var asks = form["payment_method"] == "pm_card_authenticationRequired";
        intent.Status = asks ? "requires_action" : intent.Manual ? "requires_capture" : "succeeded";
        if (intent.Status == "succeeded")
            intent.Received = intent.Amount;
        Tell(asks ? "payment_intent.requires_action" : "payment_intent.amount_capturable_updated", intent.Render(expand: false));
        return intent.Render(expand: false);
    }

    private JsonObject Capture(Intent intent, IFormCollection form)
    {
        var amount = form.ContainsKey("amount_to_capture") ? Number(form, "amount_to_capture") : intent.Capturable;
        var final = form["final_capture"] != "false";
        if (intent.Status != "requires_capture")
            throw new Refusal(400, "invalid_request_error", "payment_intent_unexpected_state");
        if (amount > intent.Capturable)
            throw new Refusal(400, "invalid_request_error", "amount_too_large");
        if (!final && !intent.Multicapture)
            throw new Refusal(400, "invalid_request_error", "parameter_invalid");
        intent.Received += amount;
        if (final || intent.Received == intent.Amount)
            intent.Status = "succeeded";
        Tell(intent.Status == "succeeded" ? "payment_intent.succeeded" : "payment_intent.amount_capturable_updated", intent.Render(expand: false));
        return intent.Render(expand: false);
    }

    private JsonObject Cancel(Intent intent)
    {
        if (intent.Status is "succeeded" or "canceled" || intent.Received > 0)
            throw new Refusal(400, "invalid_request_error", "payment_intent_unexpected_state");
        intent.Status = "canceled";
        Tell("payment_intent.canceled", intent.Render(expand: false));
        return intent.Render(expand: false);
    }

    private JsonObject Refund(IFormCollection form)
    {
        var intent = Find(form["payment_intent"].ToString());
        var amount = Number(form, "amount");
        if (amount > intent.Received - intent.Refunds.Where(r => r.Status != "failed").Sum(r => r.Amount))
            throw new Refusal(400, "invalid_request_error", intent.Received > 0 ? "amount_too_large" : "charge_not_captured");
        var refund = new RefundRow { Id = $"re_{++_numbers}", Intent = intent, Amount = amount, Reference = form["metadata[reference]"].ToString(), Status = RefundsWait ? "pending" : "succeeded" };
        intent.Refunds.Add(refund);
        Tell("refund.created", Render(refund));
        return Render(refund);
    }

    private Intent Find(string id) => _intents.TryGetValue(id, out var intent) ? intent : throw new Refusal(404, "invalid_request_error", "resource_missing");

    private async Task<IResult> Change(HttpContext http, Func<IFormCollection, JsonObject> work)
    {
        var form = await http.Request.ReadFormAsync();
        var key = http.Request.Headers["Idempotency-Key"].ToString();
        var request = http.Request.Path + "?" + string.Join('&', form.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}={f.Value}"));
        (string Request, int Status, string Body) answer;
        lock (_lock)
        {
            if (Fails() is { } error)
                return error;
            if (_answers.TryGetValue(key, out answer))
            {
                if (answer.Request != request)
                    answer = (request, 400, Error("idempotency_error", "idempotency_key_in_use", null, null).ToJsonString());
            }
            else
            {
                try
                {
                    answer = (request, 200, work(form).ToJsonString());
                }
                catch (Refusal refusal)
                {
                    answer = (request, refusal.Status, Error(refusal.Type, refusal.Code, refusal.DeclineCode, refusal.Intent).ToJsonString());
                }

                _answers[key] = answer;
            }
        }

        if (LosesAnswers)
            http.Features.Get<IHttpRequestLifetimeFeature>()!.Abort();
        return Results.Text(answer.Body, "application/json", Encoding.UTF8, answer.Status);
    }

    private IResult Read(HttpContext http, Func<JsonObject> work)
    {
        lock (_lock)
        {
            if (Fails() is { } error)
                return error;
            if (http.Request.Headers.Authorization.Count == 0)
                return Results.StatusCode(401);
            try
            {
                return Results.Text(work().ToJsonString(), "application/json");
            }
            catch (Refusal refusal)
            {
                return Results.Text(Error(refusal.Type, refusal.Code, null, null).ToJsonString(), "application/json", Encoding.UTF8, refusal.Status);
            }
        }
    }

    private IResult? Fails()
    {
        if (NextError is not { } error)
            return null;
        NextError = null;
        return Results.Text(Error(error.Type, error.Code, null, null).ToJsonString(), "application/json", Encoding.UTF8, error.Status);
    }

    private void Tell(string type, JsonObject about)
    {
        var id = $"evt_{++_numbers}";
        var body = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["id"] = id,
            ["object"] = "event",
            ["api_version"] = "2020-08-27",
            ["type"] = type,
            ["created"] = 1_700_000_000,
            ["data"] = new JsonObject { ["object"] = about },
        }.ToJsonString());
        var seconds = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        _events.Add((new HeaderDictionary { [StripeSignature.Header] = $"t={seconds},v1={StripeSignature.Sign(seconds, body, secret)},v0=ignored" }, body));
    }

    private static JsonObject Error(string type, string code, string? declineCode, JsonObject? intent) => new()
    {
        ["error"] = new JsonObject { ["type"] = type, ["code"] = code, ["decline_code"] = declineCode, ["message"] = "No.", ["payment_intent"] = intent },
    };

    private static JsonObject List(IEnumerable<JsonObject> data) => new()
    {
        ["object"] = "list",
        ["has_more"] = false,
        ["url"] = "/v1",
        ["data"] = new JsonArray([.. data]),
    };

    private static JsonObject Render(RefundRow refund) => new()
    {
        ["id"] = refund.Id,
        ["object"] = "refund",
        ["amount"] = refund.Amount,
        ["currency"] = refund.Intent.Currency,
        ["payment_intent"] = refund.Intent.Id,
        ["metadata"] = new JsonObject { ["reference"] = refund.Reference },
        ["status"] = refund.Status,
        ["failure_reason"] = refund.Status == "failed" ? "expired_or_canceled_card" : null,
    };

    private static long Number(IFormCollection form, string field) => long.Parse(form[field].ToString(), CultureInfo.InvariantCulture);

    private sealed class Intent
    {
        public required string Id { get; init; }

        public required long Amount { get; init; }

        public required string Currency { get; init; }

        public required bool Manual { get; init; }

        public required bool Multicapture { get; init; }

        public required Dictionary<string, string> Metadata { get; init; }

        public string Status { get; set; } = "requires_payment_method";

        public long Received { get; set; }

        public long Capturable => Status == "requires_capture" ? Amount - Received : 0;

        public (string Code, string? DeclineCode)? Error { get; set; }

        public List<RefundRow> Refunds { get; } = [];

        public JsonObject Render(bool expand) => new()
        {
            ["id"] = Id,
            ["object"] = "payment_intent",
            ["amount"] = Amount,
            ["amount_capturable"] = Capturable,
            ["amount_received"] = Received,
            ["currency"] = Currency,
            ["status"] = Status,
            ["metadata"] = new JsonObject(Metadata.Select(m => new KeyValuePair<string, JsonNode?>(m.Key, m.Value))),
            ["last_payment_error"] = Error is { } error ? new JsonObject { ["type"] = "card_error", ["code"] = error.Code, ["decline_code"] = error.DeclineCode } : null,
            ["next_action"] = Status == "requires_action"
                ? new JsonObject { ["type"] = "redirect_to_url", ["redirect_to_url"] = new JsonObject { ["url"] = $"https://hooks.stripe.example/{Id}" } }
                : null,
            ["latest_charge"] = !expand ? $"ch_{Id}" : new JsonObject
            {
                ["id"] = $"ch_{Id}",
                ["object"] = "charge",
                ["payment_intent"] = Id,
                ["amount_refunded"] = Refunds.Where(r => r.Status != "failed").Sum(r => r.Amount),
                ["payment_method_details"] = new JsonObject { ["type"] = "card", ["card"] = new JsonObject { ["multicapture"] = new JsonObject { ["status"] = Multicapture ? "available" : "unavailable" } } },
            },
        };
    }

    private sealed class RefundRow
    {
        public required string Id { get; init; }

        public required Intent Intent { get; init; }

        public required long Amount { get; init; }

        public required string Reference { get; init; }

        public required string Status { get; set; }
    }

    private sealed class Refusal(int status, string type, string code, string? declineCode = null, JsonObject? intent = null) : Exception
    {
        public int Status => status;

        public string Type => type;

        public string Code => code;

        public string? DeclineCode => declineCode;

        public JsonObject? Intent => intent;
    }
}
