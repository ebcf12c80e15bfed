using System.Globalization;
using System.Security.Cryptography;
using Commerce.Sandbox.Books;

namespace Commerce.Sandbox.Carriers;

/// <summary>
/// Tracking numbers that never repeat: a counter in the books, scattered by a bijection (multiplication by a number coprime to the
/// modulus), so that neighbours in time are not neighbours in number.
/// </summary>
internal static class TrackingNumbers
{
    private const string Base36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /// <summary>The next number of a carrier. The counter starts anywhere, so that new books do not repeat what old ones gave out.</summary>
    public static string Next(WritingPage page, string carrier, string serviceCode)
    {
        var n = page.Count(
            "INSERT INTO sequences (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            carrier,
            (long)RandomNumberGenerator.GetInt32(100_000_000));
        return Format(carrier, serviceCode, n);
    }

    public static string Format(string carrier, string serviceCode, long n) => carrier switch
    {
        "ups" => Ups(serviceCode, n),
        "usps" => Usps(serviceCode, n),
        "fedex" => FedEx(n),
        "dhl" => Dhl(n),
        _ => throw new ArgumentOutOfRangeException(nameof(carrier), carrier, "is no carrier of the Sandbox"),
    };

    /// <summary>1Z, shipper (6), service (2), package (7), check digit. When a shipper's packages are used up, the next shipper begins.</summary>
    private static string Ups(string service, long n)
    {
        const long packages = 10_000_000;
        var shipper = (n / packages) % (36L * 36 * 36 * 36);
        Span<char> account = ['4', 'R', Base36[(int)(shipper / 46656)], Base36[(int)(shipper / 1296 % 36)], Base36[(int)(shipper / 36 % 36)], Base36[(int)(shipper % 36)]];
        var body = string.Create(CultureInfo.InvariantCulture, $"{account}{service}{Scatter(n % packages, 6_364_137, packages):D7}");
        return $"1Z{body}{CheckDigits.Ups(body)}";
    }

    /// <summary>IMpb, 22 digits: 94, service (3), a mailer of 6 digits, serial (10), check digit.</summary>
    private static string Usps(string service, long n)
    {
        const long serials = 10_000_000_000;
        var body = string.Create(CultureInfo.InvariantCulture, $"94{service}108205{Scatter(n % serials, 2_718_281_829, serials):D10}");
        return $"{body}{CheckDigits.Usps(body)}";
    }

    /// <summary>FedEx Express, 12 digits.</summary>
    private static string FedEx(long n)
    {
        const long serials = 10_000_000_000;
        var body = string.Create(CultureInfo.InvariantCulture, $"7{Scatter(n % serials, 3_141_592_653, serials):D10}");
        return $"{body}{CheckDigits.FedEx(body)}";
    }

    /// <summary>DHL Express air waybill, 10 digits.</summary>
    private static string Dhl(long n)
    {
        const long serials = 900_000_000;
        var serial = 100_000_000 + Scatter(n % serials, 618_033_989, serials);
        return string.Create(CultureInfo.InvariantCulture, $"{serial}{CheckDigits.Dhl(serial)}");
    }

    private static long Scatter(long n, long factor, long modulus) => (long)((UInt128)n * (UInt128)factor % (UInt128)modulus);
}
