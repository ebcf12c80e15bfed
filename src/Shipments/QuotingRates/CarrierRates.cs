using Commerce.Shipments.Carriers;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.QuotingRates;

/// <summary>Asks carriers themselves what they want, all at the same time; one that fails is left out and counted.</summary>
internal sealed partial class CarrierRates(IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<CarrierRates> logger)
{
    /// <summary>By carrier; null: it did not answer, or not in time, or with something that is no answer.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<Rate>?>> Ask(IEnumerable<ICarrier> carriers, RateQuestion question, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(options.Value.RatesWithin, time);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        var answers = await Task.WhenAll(carriers.Select(async carrier => (carrier.Code, Rates: await Ask(carrier, question, bounded.Token, cancellationToken))));
        return answers.ToDictionary(answer => answer.Code, answer => answer.Rates, StringComparer.Ordinal);
    }

    private async Task<IReadOnlyList<Rate>?> Ask(ICarrier carrier, RateQuestion question, CancellationToken bounded, CancellationToken cancellationToken)
    {
        try
        {
            var rates = await carrier.Rates(question, bounded);
            // An offer that cannot be is not one: it must not be the cheapest.
            return [.. rates.Where(rate => rate.Price.Minor >= 0 && rate.TransitDaysMax is >= 0 and <= 365 && Currencies.Exists(rate.Price.Currency))];
        }
        // Whatever a carrier does wrong must not keep the others from carrying the parcel.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(carrier.Code, exception.GetType().Name);
            ShipmentsTelemetry.RatesUnanswered.Add(1, new KeyValuePair<string, object?>("commerce.carrier", carrier.Code));
            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Carrier} gave no rates: {Error}.")]
    private partial void LogUnanswered(string carrier, string error);
}
