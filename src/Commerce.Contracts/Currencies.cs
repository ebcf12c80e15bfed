using System.Collections.Frozen;

namespace Commerce;

/// <summary>ISO 4217: the active currencies and how many decimals their smallest unit has.</summary>
public static class Currencies
{
    private static readonly FrozenDictionary<string, int> Units = Build();

    /// <summary>Decimals of the smallest unit (EUR 2, JPY 0, KWD 3), or null if there is no such currency.</summary>
    public static int? MinorUnits(string? code) => code is not null && Units.TryGetValue(code, out var digits) ? digits : null;

    public static bool Exists(string? code) => MinorUnits(code) is not null;

    private static FrozenDictionary<string, int> Build()
    {
        var units = new Dictionary<string, int>(StringComparer.Ordinal);
        Add(0,
            "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF");
        Add(2,
            "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
            + "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
            + "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK "
            + "MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
            + "RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
            + "USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG");
        Add(3,
            "BHD IQD JOD KWD LYD OMR TND");
        Add(4,
            "CLF UYW");
        return units.ToFrozenDictionary(StringComparer.Ordinal);

        void Add(int digits, string codes)
        {
            foreach (var code in codes.Split(' '))
                units[code] = digits;
        }
    }
}
