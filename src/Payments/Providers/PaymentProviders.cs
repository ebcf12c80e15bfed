using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Commerce.Payments.StoreCredits;
using Microsoft.Extensions.Options;

namespace Commerce.Payments.Providers;

/// <summary>The providers by their names, and the one that new payments go to.</summary>
public sealed class PaymentProviders
{
    private readonly FrozenDictionary<string, IPaymentProvider> _byName;

    public PaymentProviders(IEnumerable<IPaymentProvider> providers, IOptions<PaymentsOptions> options)
    {
        _byName = providers.ToFrozenDictionary(p => p.Name, StringComparer.Ordinal);
        if (!_byName.ContainsKey(options.Value.Provider))
            throw new InvalidOperationException($"Payments:Provider is \"{options.Value.Provider}\"; there are: {string.Join(", ", _byName.Keys)}.");
        Default = options.Value.Provider;
    }

    /// <summary>The name of the provider that new payments go to.</summary>
    public string Default { get; }

    /// <summary>The name of the provider that a new part of this method goes to: store credit is our own affair.</summary>
    public string For(string method) => method == "STORE_CREDIT" ? StoreCreditBook.Provider : Default;

    /// <summary>The provider that a stored part names. A provider with payments must not be taken away.</summary>
    public IPaymentProvider this[string name] =>
        TryGet(name, out var provider) ? provider : throw new InvalidOperationException($"A payment is at provider \"{name}\", which is not configured.");

    public bool TryGet(string name, [NotNullWhen(true)] out IPaymentProvider? provider) => _byName.TryGetValue(name, out provider);
}
