using Commerce.Facts;
using Commerce.Shipments.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Code = Commerce.Shipments.V1.DelayCause.Types.Code;

namespace Commerce.Shipments.EstimatingArrivals;

/// <summary>An estimate as the API shows it.</summary>
internal static class ArrivalMessage
{
    public static ArrivalEstimate Of(ArrivalRecord arrival)
    {
        var message = new ArrivalEstimate
        {
            ExpectedTime = Timestamp.FromDateTimeOffset(arrival.Expected),
            ExpectedDay = DayOf(arrival.Expected),
            Basis = arrival.Basis,
            Evidence = Math.Round(arrival.Evidence, 1),
            StageStartTime = Timestamp.FromDateTimeOffset(arrival.StageStartedAt),
            Stage = arrival.Stage,
            TimeZone = arrival.TimeZone,
            AsOfTime = Timestamp.FromDateTimeOffset(arrival.AsOf),
        };
        message.Windows.Add(arrival.Windows.Select(window => new ArrivalWindow
        {
            Coverage = window.Coverage,
            FromTime = Timestamp.FromDateTimeOffset(window.From),
            UntilTime = Timestamp.FromDateTimeOffset(window.Until),
            FromDay = DayOf(window.From),
            UntilDay = DayOf(window.Until),
        }));
        return message;
    }

    /// <summary>The same as facts tell it.</summary>
    public static ArrivalFact? FactOf(ArrivalRecord? arrival) => arrival is null ? null : new ArrivalFact(
        arrival.Expected,
        [.. arrival.Windows.Select(window => new ArrivalWindowFact(window.Coverage, window.From, window.Until))],
        StatusName.Of(arrival.Basis),
        arrival.AsOf,
        arrival.Risk is { } risk ? Math.Round(risk, 4) : null,
        arrival.Risk is null ? [] : [.. arrival.Causes.Select(cause => StatusName.Of(cause.Code))]);

    public static DelayRisk? RiskOf(ArrivalRecord arrival)
    {
        if (arrival.Risk is not { } risk)
            return null;
        var message = new DelayRisk { Probability = Math.Round(risk, 4) };
        message.Causes.Add(arrival.Causes.Select(cause => new DelayCause { Code = cause.Code, Message = Words(cause.Code), LogOdds = Math.Round(cause.LogOdds, 2) }));
        return message;
    }

    private static string Words(Code code) => code switch
    {
        Code.TightPromise => "The promise leaves less time than is usual.",
        Code.SlowLane => "Its lane, or the region that it goes to, is slower than others.",
        Code.SlowSender => "Its sender hands over later than others.",
        Code.SlowCarrier => "Its carrier or service is slower than others.",
        Code.Congestion => "Parcels take longer at the moment than they did.",
        Code.DaysOff => "Weekends or holidays lie ahead.",
        Code.Goods => "Such goods travel more slowly: weight, size, value or kind.",
        Code.Payment => "Such payments take time to be confirmed.",
        Code.Overdue => "It has been under way for longer than most.",
        Code.Exception => "Something keeps it from going on by itself: see its exception.",
        Code.PromisePassed => "The promise has passed.",
        _ => "",
    };

    // The day on the recipient's wall: the time already has their offset.
    private static Date DayOf(DateTimeOffset time) => new() { Year = time.Year, Month = time.Month, Day = time.Day };
}
