namespace Commerce.Promising;

/// <summary>What a model learns from, each by its place in an array, and what a reader may call it.</summary>
internal static class Features
{
    public const int Prior = 0;
    public const int Stages = 1;
    public const int LogPromise = 2;
    public const int Slack = 3;
    public const int NetworkLong = 4;
    public const int NetworkNow = 5;
    public const int Region = 6;
    public const int RegionNow = 7;
    public const int Lane = 8;
    public const int Zone3 = 9;
    public const int Zone2 = 10;
    public const int Sender = 11;
    public const int Category = 12;
    public const int Payment = 13;
    public const int Carrier = 14;
    public const int HandlingNetwork = 15;
    public const int HandlingRegion = 16;
    public const int HandlingSender = 17;
    public const int TransitNetwork = 18;
    public const int TransitRegion = 19;
    public const int TransitLane = 20;
    public const int LateNetwork = 21;
    public const int LateRegion = 22;
    public const int LateLane = 23;
    public const int LateZone = 24;
    public const int LateSender = 25;
    public const int DueNetwork = 26;
    public const int DueRegion = 27;
    public const int UseNetwork = 28;
    public const int UseRegion = 29;
    public const int UseZone = 30;
    public const int UseSender = 31;
    public const int PaceNow = 32;
    public const int PaceMonth = 33;
    public const int PaceRegion = 34;
    public const int OldShare = 35;
    public const int TransitAge = 36;
    public const int TransitAgeRegion = 37;
    public const int Volume = 38;
    public const int SenderVolume = 39;
    public const int SenderOpen = 40;
    public const int Distance = 41;
    public const int LogDistance = 42;
    public const int SameRegion = 43;
    public const int Freight = 44;
    public const int Price = 45;
    public const int FreightShare = 46;
    public const int Weight = 47;
    public const int Size = 48;
    public const int Pieces = 49;
    public const int Senders = 50;
    public const int Hour = 51;
    public const int Weekday = 52;
    public const int NextBusinessDay = 53;
    public const int BusinessDays = 54;
    public const int Holidays = 55;
    public const int Count = 56;

    /// <summary>What the chance to be late is corrected by, besides the slack that the forecast itself sees: few, as late parcels are few.</summary>
    public static readonly int[] OfRisk =
    [
        Slack, LogPromise, DueNetwork, DueRegion, UseRegion, UseZone, LateNetwork, LateRegion, LateZone, LateSender, Volume, HandlingNetwork, HandlingRegion,
        HandlingSender, Payment, Distance, FreightShare, Hour, NextBusinessDay, Holidays, TransitAge, OldShare, SenderVolume, PaceNow, PaceMonth, PaceRegion,
    ];

    /// <summary>Of what kind a feature's share in a risk is.</summary>
    public static readonly DelayCode[] Codes = CodesOf();

    private static DelayCode[] CodesOf()
    {
        var codes = new DelayCode[Count];
        Array.Fill(codes, DelayCode.SlowLane);
        Set(DelayCode.TightPromise, LogPromise, Slack, UseNetwork);
        Set(DelayCode.SlowSender, Sender, HandlingNetwork, HandlingRegion, HandlingSender, LateSender, UseSender, SenderVolume, SenderOpen, Senders);
        Set(DelayCode.SlowCarrier, Carrier, TransitNetwork);
        Set(DelayCode.Congestion, NetworkLong, NetworkNow, RegionNow, LateNetwork, DueNetwork, DueRegion, PaceNow, PaceMonth, PaceRegion, OldShare, TransitAge, TransitAgeRegion, Volume);
        Set(DelayCode.DaysOff, Hour, Weekday, NextBusinessDay, BusinessDays, Holidays);
        Set(DelayCode.Goods, Category, Freight, Price, FreightShare, Weight, Size, Pieces);
        Set(DelayCode.Payment, Payment);
        return codes;

        void Set(DelayCode code, params ReadOnlySpan<int> features)
        {
            foreach (var feature in features)
                codes[feature] = code;
        }
    }
}
