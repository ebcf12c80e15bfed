using static Commerce.Tracking.Numbers.Carriers;

namespace Commerce.Tracking.Numbers;

/// <summary>
/// Every format that is recognised. Facts that carriers publish and that public number tables agree on. The weights say how
/// common a format is among the numbers that people ask about; only their proportions matter, and only where formats overlap.
/// </summary>
internal static class NumberFormats
{
    // What "91" adds, three times nine and one, where a number belongs to the identifier and is printed without it; "92" alike.
    private const int Unprinted91 = 28;
    private const int Unprinted92 = 29;

    private static readonly CheckDigit Gs1 = body => CheckDigits.Gs1(body);

    private static readonly ServiceTable UpsServices = new(2, 36,
    [
        ("01", "Next Day Air"),
        ("02", "2nd Day Air"),
        ("03", "Ground"),
        ("12", "3 Day Select"),
        ("13", "Next Day Air Saver"),
        ("15", "Next Day Air Early"),
        ("22", "Ground, Returns Plus, three pick-up attempts"),
        ("32", "Next Day Air Early, COD"),
        ("33", "Next Day Air Early, Saturday delivery, COD"),
        ("41", "Next Day Air Early, Saturday delivery"),
        ("42", "Ground, signature required"),
        ("44", "Next Day Air, Saturday delivery"),
        ("66", "Worldwide Express"),
        ("72", "Ground, COD"),
        ("78", "Ground, Returns Plus, one pick-up attempt"),
        ("90", "Ground, return label printed and mailed by UPS"),
        ("A0", "Next Day Air Early, adult signature required"),
        ("A1", "Next Day Air Early, Saturday delivery, adult signature required"),
        ("A2", "Next Day Air, adult signature required"),
        ("A8", "Ground, adult signature required"),
        ("A9", "Next Day Air Early, adult signature required, COD"),
        ("AA", "Next Day Air Early, Saturday delivery, adult signature required, COD"),
        ("YW", "SurePost, delivered by USPS"),
    ]);

    private static readonly ServiceTable UpsWaybillServices = new(1, 26,
    [
        ("J", "Next Day Express"),
        ("K", "Ground"),
        ("V", "Worldwide Express Saver"),
    ]);

    // The confirmation services that were numbered before the Intelligent Mail package barcode.
    private static readonly ServiceTable UspsConfirmations = new(2, 10,
    [
        ("01", "Delivery Confirmation, Priority or First-Class"),
        ("02", "Delivery Confirmation, Package Services or Parcel Select"),
        ("03", "Delivery Confirmation, retail"),
        ("04", "Delivery Confirmation, retail"),
        ("05", "Delivery Confirmation, Priority or First-Class, insured over $50"),
        ("06", "Delivery Confirmation, Package Services or Parcel Select, insured over $50"),
        ("07", "Delivery Confirmation, Priority, insured up to $50"),
        ("08", "Delivery Confirmation, Package Services or Parcel Select, insured up to $50"),
        ("14", "Delivery Confirmation, approved software vendors"),
        ("21", "Signature Confirmation, Priority or First-Class"),
        ("22", "Signature Confirmation, Package Services or Parcel Select"),
        ("23", "Signature Confirmation, retail"),
        ("24", "Signature Confirmation, retail"),
        ("25", "Signature Confirmation, Priority or First-Class, insured"),
        ("26", "Signature Confirmation, Package Services or Parcel Select, insured"),
        ("34", "Signature Confirmation, approved software vendors"),
        ("50", "Electronic file header"),
        ("56", "Scans on the way only"),
        ("70", "Certified Mail"),
        ("71", "Certified Mail"),
        ("73", "Insured over $50"),
        ("82", "Merchandise Return, Delivery Confirmation"),
        ("83", "Merchandise Return, Delivery Confirmation, insured up to $50"),
        ("85", "Merchandise Return, Delivery Confirmation, insured over $50"),
    ]);

    private static readonly ServiceTable ImpbServices = new(3, 10,
    [
        ("001", "USPS Tracking"),
        ("021", "Signature Confirmation"),
        ("033", "COD"),
        ("055", "Priority Mail"),
        ("073", "Certified Mail"),
        ("088", "Registered Mail"),
        ("612", "Parcel Select"),
        ("701", "Priority Mail Express"),
    ]);

    private static readonly ServiceTable DpdServices = new(3, 10,
    [
        ("101", "Normal parcel"),
        ("102", "Normal parcel, hazardous goods"),
        ("105", "Normal parcel, ex works"),
        ("106", "Normal parcel, ex works, hazardous goods"),
        ("109", "Normal parcel, COD"),
        ("110", "Normal parcel, COD, hazardous goods"),
        ("113", "Normal parcel, exchange"),
        ("136", "Small parcel"),
        ("154", "ParcelLetter"),
        ("155", "Guarantee"),
        ("161", "Guarantee, COD"),
        ("179", "10:00"),
        ("191", "10:00, COD"),
        ("225", "12:00"),
        ("237", "12:00, COD"),
        ("350", "8:30"),
    ]);

    private static readonly ServiceTable SsccContainers = new(2, 10,
    [
        ("00", "Ground, case or carton"),
        ("01", "Ground, pallet"),
        ("02", "Ground, larger than a pallet"),
        ("04", "Ground, for use within a company"),
    ]);

    // UPU S10, the service indicators of the first letter, or of a range of the second.
    private static readonly ServiceTable S10Services = new(2, 26,
    [
        .. ServiceTable.Letters('A', 'V', 'Z', "Domestic, bilateral or multilateral use"),
        .. ServiceTable.Letters('B', 'A', 'Z', "Domestic, bilateral or multilateral use"),
        .. ServiceTable.Letters('C', 'A', 'Z', "Parcel post"),
        .. ServiceTable.Letters('D', 'A', 'Z', "Domestic, bilateral or multilateral use"),
        .. ServiceTable.Letters('E', 'A', 'Z', "EMS"),
        ("GA", "Domestic, bilateral or multilateral use"),
        ("GD", "Domestic, bilateral or multilateral use"),
        .. ServiceTable.Letters('H', 'A', 'Z', "Parcel post, e-commerce"),
        .. ServiceTable.Letters('L', 'A', 'Z', "Letter post, express or tracked"),
        .. ServiceTable.Letters('M', 'A', 'Z', "Letter post, M bag"),
        .. ServiceTable.Letters('N', 'A', 'Z', "Domestic, bilateral or multilateral use"),
        .. ServiceTable.Letters('P', 'A', 'Z', "Domestic, bilateral or multilateral use"),
        .. ServiceTable.Letters('Q', 'A', 'M', "Letter post, business reply (IBRS)"),
        .. ServiceTable.Letters('R', 'A', 'Z', "Letter post, registered"),
        .. ServiceTable.Letters('U', 'A', 'Z', "Letter post, other"),
        .. ServiceTable.Letters('V', 'A', 'Z', "Letter post, insured"),
        .. ServiceTable.Letters('Z', 'A', 'Z', "Domestic, bilateral or multilateral use"),
    ]);

    private static readonly string[] DhlEcommercePrefixes = ["LX", "RX", "UV", "CN", "SG", "TH", "IN", "HK", "MY"];

    public static readonly IReadOnlyList<NumberFormat> All =
    [
        new("s10", UniversalPostalUnion, "International post item (UPU S10)", 0.15, CheckDigits.S10,
            new Shape("<service:@@> <body:#{8}> <check:#> <country:@@>")) { Services = S10Services, IsS10 = true },

        new("ups", Ups, "UPS", 0.20, CheckDigits.Ups,
            new Shape("1Z <body: *{6} <service:**> #{7}> <check:#>", 0.95),
            new Shape("1Z <body: *{6} <service:**> *{7}> <check:#>", 0.05)) { Services = UpsServices },
        new("ups_waybill", Ups, "UPS waybill", 0.002, CheckDigits.Ups,
            new Shape("<service:[AHJKTV]> <body:#{9}> <check:#>")) { Services = UpsWaybillServices },

        // The Intelligent Mail package barcode. A mailer's number has nine digits if it begins with 9, six otherwise; before it may
        // stand 420 and the recipient's ZIP code.
        new("usps_impb_n", Usps, "USPS, label from online, a vendor or a meter", 0.15, Gs1, [.. Impb("94", 30)])
        {
            Origin = "US", Services = ImpbServices, PostcodeText = ZipCode, PostcodeCountry = "US",
        },
        new("usps_impb_c", Usps, "USPS, label of a commercial mailer or from a post office", 0.15, Gs1,
            [.. Impb("92", 26, nineDigitMailer: true), .. Impb("93", 26, nineDigitMailer: false), .. Impb("95", 26)])
        {
            Origin = "US", Services = ImpbServices, PostcodeText = ZipCode, PostcodeCountry = "US",
        },
        new("usps_20", Usps, "USPS, confirmation or certified mail", 0.02, Gs1,
            new Shape("<body:<service:##> #{9} #{8}> <check:#>")) { Origin = "US", Services = UspsConfirmations },
        new("usps_legacy", Usps, "USPS, confirmation", 0.01, Gs1,
            new Shape("<body:91 <service:##> #{9} #{8}> <check:#>"),
            new Shape("420 <postcode:#{5}> <body:91 <service:##> #{9} #{8}> <check:#>"),
            new Shape("420 <postcode:#{9}> <body:91 <service:##> #{9} #{8}> <check:#>")) { Origin = "US", Services = UspsConfirmations, PostcodeText = ZipCode, PostcodeCountry = "US" },
        new("usps_legacy", Usps, "USPS, confirmation", 0.01, body => CheckDigits.Gs1(body, Unprinted91),
            new Shape("<body:<service:##> #{9} #{8}> <check:#>"),
            new Shape("420 <postcode:#{5}> <body:<service:##> #{9} #{8}> <check:#>"),
            new Shape("420 <postcode:#{9}> <body:<service:##> #{9} #{8}> <check:#>")) { Origin = "US", Services = UspsConfirmations, PostcodeText = ZipCode, PostcodeCountry = "US" },

        new("fedex_12", FedEx, "FedEx Express", 0.10, CheckDigits.FedEx,
            new Shape("<body:[6-9] #{10}> <check:#>", 0.75),
            new Shape("<body:[0-5] #{10}> <check:#>", 0.25)),
        new("fedex_34", FedEx, "FedEx Express, the whole barcode", 0.01, CheckDigits.FedEx,
            new Shape("10 #{13} <postcode:#{5}> <body:#{13}> <check:#>", 0.5),
            new Shape("11 #{13} <postcode:#{5}> <body:#{13}> <check:#>", 0.4),
            new Shape("[0-8] #{14} <postcode:#{5}> <body:#{13}> <check:#>", 0.1)) { PostcodeText = (code, _) => code },
        new("fedex_astra_32", FedEx, "FedEx Express, the old ASTRA barcode", 0.002, CheckDigits.FedEx, new Shape("3 #{15} <body:#{11}> <check:#> #{4}")),
        new("fedex_ground", FedEx, "FedEx Ground", 0.04, Gs1, new Shape("<body:#{14}> <check:#>")) { Service = new("ground", "Ground") },
        new("fedex_ground_sscc_18", FedEx, "FedEx Ground (SSCC-18)", 0.005, Gs1,
            new Shape("<service:##> <body:#{15}> <check:#>")) { Services = SsccContainers },
        new("fedex_ground_96", FedEx, "FedEx Ground 96", 0.02, Gs1, new Shape("96 #{5} <body:#{14}> <check:#>")) { Service = new("ground", "Ground") },
        new("fedex_ground_gsn", FedEx, "FedEx Ground, the whole barcode", 0.01, CheckDigits.FedEx,
            new Shape("9622 #{16} <body:#{13}> <check:#>", 0.8),
            new Shape("9632 #{16} <body:#{13}> <check:#>", 0.1),
            new Shape("96 #{18} <body:#{13}> <check:#>", 0.1)) { Service = new("ground", "Ground") },
        // The same parcel's number at USPS begins with 92, which FedEx does not print.
        new("fedex_ground_economy", FedEx, "FedEx Ground Economy", 0.005, body => CheckDigits.Gs1(body, Unprinted92),
            new Shape("<body:6129 #{15}> <check:#>")) { Service = new("ground_economy", "Ground Economy, delivered by USPS"), Origin = "US", Destination = "US" },

        new("dhl_express", Dhl, "DHL Express waybill", 0.05, CheckDigits.Mod7,
            new Shape("<body:#{9}> <check:[0-6]>", 0.97),
            new Shape("<body:#{10}> <check:[0-6]>", 0.03)) { Service = new("express", "Express") },
        new("dhl_express_piece_id", Dhl, "DHL Express piece", 0.01, null,
            new Shape("JJD #{9}", 0.1), new Shape("JJD #{10}", 0.4), new Shape("JVGL #{9}", 0.05), new Shape("JVGL #{10}", 0.25),
            new Shape("J@@ #{9}", 0.005), new Shape("J@@ #{10}", 0.005), new Shape("J@@@ #{9}", 0.005), new Shape("J@@@ #{10}", 0.005)),
        // A licence plate of ISO 15459, longer than those that Yodel has under the same letters.
        new("dhl_piece_id_18", Dhl, "DHL piece (JD and 18 digits)", 0.01, null, new Shape("JD #{18}"), new Shape("JJD #{18}")),
        new("dhl_parcel_de", Dhl, "DHL Paket, Germany", 0.03, Gs1, new Shape("<body:00340434 #{11}> <check:#>")) { Origin = "DE" },
        new("dhl_ecommerce", Dhl, "DHL eCommerce", 0.006, null, [.. DhlEcommerce()]),
        new("dhl_ecommerce_14", Dhl, "DHL eCommerce (14)", 0.004, null, new Shape("#{14}")),

        new("dpd", Dpd, "DPD, the whole barcode", 0.01, CheckDigits.Mod37And36,
            new Shape("<body:<postcode:#{7}> #{14} <service:###> <country:###>> <check:*>", 0.9),
            new Shape("<body:<postcode:*{7}> #{14} <service:###> <country:###>> <check:*>", 0.1)) { Services = DpdServices, PostcodeText = DpdPostcode },
        new("dpd_14", Dpd, "DPD", 0.02, CheckDigits.Mod37And36, new Shape("<body:#{14}> <check:*>")),
        new("dpd_14_unchecked", Dpd, "DPD, printed without its check character", 0.006, null, new Shape("#{14}")),

        new("amazon_logistics", Amazon, "Amazon Logistics", 0.015, null, new Shape("TBA #{12}")) { Origin = "US" },
        new("amazon_logistics", Amazon, "Amazon Logistics", 0.004, null, new Shape("TBC #{12}")) { Origin = "CA" },
        new("amazon_logistics", Amazon, "Amazon Logistics", 0.002, null, new Shape("TBM #{12}")) { Origin = "MX" },
        new("amazon_international", Amazon, "Amazon International", 0.001, null, new Shape("[AFC] #{10}")),

        new("canada_post", CanadaPost, "Canada Post", 0.03, Gs1, new Shape("<body:#{15}> <check:#>")) { Origin = "CA" },
        new("canpar_22", Canpar, "Canpar", 0.004, null, new Shape("[CDKLSUXZ] #{21}")) { Origin = "CA" },
        new("gofo_us", Gofo, "GOFO Express, USA", 0.003, null, new Shape("GFUS #{14}")) { Destination = "US" },
        new("landmark_global", Landmark, "Landmark Global LTN", 0.003, null, new Shape("LTN #{8} N1")),

        new("lasership_lx", LaserShip, "LaserShip LX", 0.004, null, new Shape("L[AIEHNX] [1-3] #{7}")) { Origin = "US", Destination = "US" },
        new("lasership_1ls7", LaserShip, "LaserShip 1LS7", 0.003, null, new Shape("1LS7 [12] #{10}")) { Origin = "US", Destination = "US" },
        new("lasership_1ls7_18", LaserShip, "LaserShip 1LS7, piece of several", 0.001, null, new Shape("1LS7 [12] ## 01 [1-4] #{6} 1")) { Origin = "US", Destination = "US" },
        new("lasership_1lscx", LaserShip, "LaserShip 1LSCX", 0.003, null, new Shape("1LSCX *{10}")) { Origin = "US", Destination = "US" },

        new("old_dominion", OldDominion, "Old Dominion", 0.002, CheckDigits.Luhn,
            new Shape("<body:777 #{7}> <check:#>"), new Shape("<body:778 #{7}> <check:#>"),
            new Shape("<body:072 #{7}> <check:#>"), new Shape("<body:780 #{7}> <check:#>")),
        new("old_dominion_guaranteed", OldDominion, "Old Dominion, guaranteed", 0.001, CheckDigits.Luhn,
            new Shape("<body:80 #{8}> <check:#>")) { Service = new("guaranteed", "Guaranteed") },

        // The letter takes part in the check digit: C as 4, D as 5.
        new("ontrac_c", OnTrac, "OnTrac C", 0.006, CheckDigits.Ups, new Shape("<body:C #{13}> <check:#>")) { Origin = "US", Destination = "US" },
        new("ontrac_d", OnTrac, "OnTrac D", 0.003, CheckDigits.Ups, new Shape("<body:D #{13}> <check:#>")) { Origin = "US", Destination = "US" },

        new("purolator_numeric", Purolator, "Purolator", 0.015, CheckDigits.Luhn, new Shape("<body:[0-5] #{10}> <check:#>")) { Origin = "CA" },
        new("purolator_alpha", Purolator, "Purolator, three letters", 0.003, null, new Shape("@@@ #{9}")) { Origin = "CA" },
        new("speedee", SpeeDee, "Spee-Dee", 0.002, null, new Shape("SP #{18}")) { Origin = "US", Destination = "US" },
        new("yodel", Yodel, "Yodel", 0.01, null, new Shape("JJD #{16}"), new Shape("JD #{16}")) { Destination = "GB" },
        new("yunexpress", YunExpress, "YunExpress", 0.01, null, new Shape("YT #{16}")) { Origin = "CN" },
    ];

    // 420 and a ZIP code of five or nine digits, then what is the number proper.
    private static IEnumerable<Shape> Impb(string identifier, int longest, bool? nineDigitMailer = null)
    {
        const string Nine = "9 #{8}";
        const string Six = "[0-8] #{5}";
        List<(string Mailer, int Serial, int Length)> constructs = [];
        if (nineDigitMailer is not false)
        {
            constructs.Add((Nine, 7, 22));
            constructs.Add((Nine, 11, 26));
            if (longest == 30)
                constructs.Add((Nine, 15, 30));
        }

        if (nineDigitMailer is not true)
        {
            constructs.Add((Six, 10, 22));
            constructs.Add((Six, 14, 26));
        }

        foreach (var (mailer, serial, length) in constructs)
        {
            var number = $"<body:{identifier} <service:###> {mailer} #{{{serial}}}> <check:#>";
            yield return new Shape(number);
            if (length <= 26)
                yield return new Shape("420 <postcode:#{5}>" + number);
            if (length == 22)
                yield return new Shape("420 <postcode:#{9}>" + number);
        }
    }

    // Behind the prefix a digit, and 10 to 39 symbols in all; mostly digits, and then 16 or so.
    private static IEnumerable<Shape> DhlEcommerce()
    {
        for (var length = 10; length <= 39; length++)
        {
            var usual = length is >= 12 and <= 22 ? 5.0 : 1.0;
            yield return new Shape($"GM #{{{length}}}", usual * 9);
            yield return new Shape($"GM # [0-9A-F]{{{length - 1}}}", usual * 2);
            yield return new Shape($"GM # *{{{length - 1}}}", usual);
            foreach (var prefix in DhlEcommercePrefixes)
            {
                yield return new Shape($"{prefix} #{{{length}}}", usual * 0.4);
                yield return new Shape($"{prefix} # *{{{length - 1}}}", usual * 0.1);
            }
        }
    }

    // Seven places, filled with noughts from the left, which are the postcode's own up to its country's length.
    private static string DpdPostcode(string field, string? country)
    {
        var code = field.TrimStart('0');
        return code.Length == 0 ? code : code.PadLeft(country switch
        {
            "DE" or "EE" or "ES" or "FI" or "FR" or "GR" or "HR" or "IT" or "LT" or "MC" or "SE" or "SM" or "TR" or "UA" => 5,
            "AT" or "AU" or "BE" or "BG" or "CH" or "CY" or "DK" or "HU" or "LI" or "LU" or "NO" or "SI" or "TN" => 4,
            _ => 0,
        }, '0');
    }

    private static string ZipCode(string digits, string? country) => digits.Length == 9 ? $"{digits[..5]}-{digits[5..]}" : digits;
}
