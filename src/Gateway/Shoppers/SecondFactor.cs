using System.Security.Cryptography;
using System.Text;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using PhoneNumbers;

namespace Commerce.Gateway.Shoppers;

/// <summary>What a shopper knows of their order beside a code of it.</summary>
internal abstract record SecondFactor(string Typed)
{
    private const int LongestEmail = 254;
    private const int LongestPhone = 40;
    private const int LongestPostalCode = 20;

    // What is compared is as long whatever was typed, and of no use to who sees the memory.
    private static readonly byte[] Secret = RandomNumberGenerator.GetBytes(32);

    /// <summary>What was given, or null and what is wrong.</summary>
    public static SecondFactor? Of(OpenOrderRequest request, List<FieldError> errors)
    {
        SecondFactor? factor = request.SecondFactorCase switch
        {
            OpenOrderRequest.SecondFactorOneofCase.Email => new Email(request.Email.Trim()),
            OpenOrderRequest.SecondFactorOneofCase.Phone => new Phone(request.Phone.Trim()),
            OpenOrderRequest.SecondFactorOneofCase.PostalCode => new PostalCode(request.PostalCode.Trim()),
            _ => null,
        };
        var wrong = factor switch
        {
            null => new FieldError("second_factor", "Give one of email, phone and postal_code, as it was given with the order."),
            Email when factor.Typed.Length > LongestEmail || !factor.Typed.Contains('@', StringComparison.Ordinal) => new FieldError("email", "Give the whole e-mail address that was given with the order."),
            Phone when factor.Typed.Length > LongestPhone || !factor.Typed.Any(char.IsDigit) => new FieldError("phone", "Give the whole telephone number that was given with the order."),
            PostalCode when factor.Typed.Length > LongestPostalCode || !factor.Typed.Any(char.IsLetterOrDigit) => new FieldError("postal_code", "Give the postal code that the order goes to."),
            _ => null,
        };
        if (wrong is null && CodeCharacters.WrongIn(factor!.Typed) is { } invisible)
            wrong = new FieldError(factor switch { Email => "email", Phone => "phone", _ => "postal_code" }, invisible);
        if (wrong is not null)
            errors.Add(wrong);
        return factor;
    }

    /// <summary>Whether it is the order's. With no order the same is done, for nothing.</summary>
    public bool IsOf(Order? order)
    {
        var known = order is null ? "" : KnownOf(order);
        var same = CryptographicOperations.FixedTimeEquals(Digest(Normalise(Typed, order)), Digest(known.Length == 0 ? "" : Normalise(known, order)));
        // What the order has not got is nobody's, and what could not be read is nothing.
        return same & known.Length > 0 & Normalise(Typed, order).Length > 0;
    }

    /// <summary>What a session is opened with, when it is the order's.</summary>
    public abstract OpenedWith Opens { get; }

    protected abstract string KnownOf(Order order);

    /// <summary>All spellings of the same are one; empty where it is none.</summary>
    protected abstract string Normalise(string text, Order? order);

    private static byte[] Digest(string text) => HMACSHA256.HashData(Secret, Encoding.UTF8.GetBytes(text));

    internal sealed record Email(string Typed) : SecondFactor(Typed)
    {
        public override OpenedWith Opens => OpenedWith.Email;

        protected override string KnownOf(Order order) => order.Customer?.Email ?? "";

        protected override string Normalise(string text, Order? order) => text.Normalize(NormalizationForm.FormC).ToLowerInvariant();

        public override string ToString() => "email";
    }

    internal sealed record Phone(string Typed) : SecondFactor(Typed)
    {
        private static readonly PhoneNumberUtil Numbers = PhoneNumberUtil.GetInstance();

        public override OpenedWith Opens => OpenedWith.Phone;

        protected override string KnownOf(Order order) => order.Customer?.Phone ?? "";

        // The whole number, or it would be guessed: without the country's prefix it is read as one of the country that the order's is of.
        protected override string Normalise(string text, Order? order)
        {
            try
            {
                var country = order?.Customer?.Phone is { Length: > 0 } known ? Numbers.GetRegionCodeForNumber(Numbers.Parse(known, null)) : null;
                // What is dialled before a country's prefix differs from country to country; "00" is what most people write.
                var dialled = text.StartsWith("00", StringComparison.Ordinal) ? "+" + text[2..] : text;
                return Numbers.Format(Numbers.Parse(dialled, country ?? order?.ShippingAddress?.RegionCode ?? "US"), PhoneNumberFormat.E164);
            }
            catch (NumberParseException)
            {
                return "";
            }
        }

        public override string ToString() => "phone";
    }

    internal sealed record PostalCode(string Typed) : SecondFactor(Typed)
    {
        private const int ZipCode = 5;
        private const int ZipPlusFour = 9;

        public override OpenedWith Opens => OpenedWith.PostalCode;

        protected override string KnownOf(Order order) => order.ShippingAddress?.PostalCode ?? "";

        protected override string Normalise(string text, Order? order)
        {
            var code = string.Concat(text.Select(CodeCharacters.Fold).Where(c => c != '\0'));
            // Few know the four digits behind theirs.
            return order?.ShippingAddress?.RegionCode == "US" && code.Length == ZipPlusFour ? code[..ZipCode] : code;
        }

        public override string ToString() => "postal code";
    }
}
