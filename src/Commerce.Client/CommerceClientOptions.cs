using Microsoft.Extensions.Options;

namespace Commerce.Client;

/// <summary>How to reach the suite, as whom, and how patiently.</summary>
public sealed class CommerceClientOptions
{
    /// <summary>The Gateway's gRPC endpoint, for example "https://api.shop.example".</summary>
    public Uri? Address { get; set; }

    /// <summary>An API key, sent with every call. Either this or <see cref="TokenProvider"/>, or neither where nobody asks.</summary>
    public string? ApiKey { get; set; }

    /// <summary>
    /// Gives out tokens. Asked before the first call, shortly before the last token ends, and once more when one was refused as
    /// UNAUTHENTICATED; never twice at the same time.
    /// </summary>
    public Func<CancellationToken, ValueTask<AccessToken>>? TokenProvider { get; set; }

    /// <summary>For a unary call that sets no deadline of its own; its retries are within it. Streams have none.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a call is sent at most, the first time included; 1: never again.</summary>
    public int MaxAttempts { get; set; } = 4;

    /// <summary>The longest pause before a stream is opened again while nobody answers; pauses grow up to it.</summary>
    public TimeSpan MaxReconnectDelay { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Sends keys and tokens over plain http to other machines too: for a network that encrypts by itself.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>What calls go through, for a proxy or a certificate of one's own; null: a SocketsHttpHandler with keep-alive pings.</summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    internal sealed class Validator : IValidateOptions<CommerceClientOptions>
    {
        public ValidateOptionsResult Validate(string? name, CommerceClientOptions options)
        {
            List<string> wrong = [];
            if (options.Address is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
                wrong.Add("Address: set the Gateway's gRPC endpoint, for example https://api.shop.example.");
            else if (options.Address is { Scheme: "http", IsLoopback: false } && !options.AllowHttp && (options.ApiKey ?? (object?)options.TokenProvider) is not null)
                wrong.Add("Address: a key or token would be readable on the way; use https, or set AllowHttp where the network encrypts by itself.");
            if (options is { ApiKey: not null, TokenProvider: not null })
                wrong.Add("ApiKey, TokenProvider: set one of them.");
            if (options.ApiKey is { } key && (key.Length == 0 || key.Any(one => one is <= ' ' or > '~')))
                wrong.Add("ApiKey: must be visible ASCII characters.");
            if (options.Deadline <= TimeSpan.Zero || options.Deadline > TimeSpan.FromHours(1))
                wrong.Add("Deadline: must be more than zero and at most an hour.");
            if (options.MaxAttempts is < 1 or > 10)
                wrong.Add("MaxAttempts: must be 1 to 10.");
            if (options.MaxReconnectDelay < TimeSpan.FromMilliseconds(100) || options.MaxReconnectDelay > TimeSpan.FromMinutes(10))
                wrong.Add("MaxReconnectDelay: must be 0.1 seconds to 10 minutes.");
            return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
        }
    }
}
