using Commerce.Shipments.Carriers;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.BuyingLabels;

/// <summary>What all carriers offer for a parcel.</summary>
/// <param name="Unanswered">The carriers that did not answer, or not in time, or with something that is no answer.</param>
internal sealed record Quotes(IReadOnlyList<Rate> Rates, IReadOnlyList<string> Unanswered);

/// <summary>Asks every carrier at the same time; one that fails is left out and counted.</summary>
internal sealed partial class RateShopper(CarrierDirectory carriers, IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<RateShopper> logger)
{
    public async Task<Quotes> Quote(Shipment shipment, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(options.Value.RatesWithin, time);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        var asked = await Task.WhenAll(carriers.All.Select(carrier => Ask(carrier, shipment, bounded.Token, cancellationToken)));
        return new Quotes(
            [.. asked.SelectMany(answer => answer.Rates ?? [])],
            [.. asked.Where(answer => answer.Rates is null).Select(answer => answer.Carrier)]);
    }

    private async Task<(string Carrier, IReadOnlyList<Rate>? Rates)> Ask(ICarrier carrier, Shipment shipment, CancellationToken bounded, CancellationToken cancellationToken)
    {
        try
        {
            var rates = await carrier.Rates(shipment, bounded);
            // An offer that cannot be is not one: it must not be the cheapest.
            return (carrier.Code, [.. rates.Where(rate => rate.Price.Minor >= 0 && rate.TransitDaysMax is >= 0 and <= 365 && Currencies.Exists(rate.Price.Currency))]);
        }
        // Whatever a carrier does wrong must not keep the others from carrying the parcel.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnanswered(carrier.Code, exception.GetType().Name);
            ShipmentsTelemetry.RatesUnanswered.Add(1, new KeyValuePair<string, object?>("commerce.carrier", carrier.Code));
            return (carrier.Code, null);
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Carrier} gave no rates: {Error}.")]
    private partial void LogUnanswered(string carrier, string error);
}
