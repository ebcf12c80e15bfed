using Commerce.Types.V1;
using Google.Type;

namespace Commerce.Orders.Checking;

/// <summary>Whom to reach and where a parcel goes: the same rules when an order is placed and when it is changed.</summary>
public static class Recipient
{
    public static void Customer(this FieldErrors errors, string field, Contact? customer)
    {
        if (customer is null)
        {
            errors.Add(field, "Say who orders: a name and an e-mail address or a phone number.");
            return;
        }

        errors.Required(field + ".name", customer.Name, 200);
        if (customer.Email.Length == 0 && customer.Phone.Length == 0)
            errors.Add(field + ".email", "Give an e-mail address or a phone number.");
        if (customer.Email.Length > 0 && !Plausible.Email(customer.Email))
            errors.Add(field + ".email", "Is not an e-mail address; give one such as \"ada@example.com\".");
        if (customer.Phone.Length > 0 && !Plausible.Phone(customer.Phone))
            errors.Add(field + ".phone", "Is not a phone number in E.164 form; give one such as \"+5511987654321\".");
        if (customer.LanguageCode.Length > 0 && !Plausible.Language(customer.LanguageCode))
            errors.Add(field + ".language_code", "Is not a BCP 47 language tag; give one such as \"pt-BR\".");
    }

    public static void Address(this FieldErrors errors, string field, PostalAddress? address)
    {
        if (address is null)
        {
            errors.Add(field, "Say where it goes.");
            return;
        }

        errors.Region(field + ".region_code", address.RegionCode);
        if (Plausible.NeedsPostalCode(address.RegionCode))
            errors.Required(field + ".postal_code", address.PostalCode, 20);
        else
            errors.Optional(field + ".postal_code", address.PostalCode, 20);
        if (Plausible.NeedsLocality(address.RegionCode))
            errors.Required(field + ".locality", address.Locality, 100);
        else
            errors.Optional(field + ".locality", address.Locality, 100);

        errors.Optional(field + ".administrative_area", address.AdministrativeArea, 100);
        errors.Optional(field + ".sublocality", address.Sublocality, 100);
        errors.Optional(field + ".sorting_code", address.SortingCode, 50);
        errors.Optional(field + ".organization", address.Organization, 200);
        if (address.LanguageCode.Length > 0 && !Plausible.Language(address.LanguageCode))
            errors.Add(field + ".language_code", "Is not a BCP 47 language tag; give one such as \"pt-BR\".");
        errors.Count(field + ".address_lines", address.AddressLines.Count, 1, 5, "lines");
        for (var i = 0; i < address.AddressLines.Count && i < 5; i++)
            errors.Required($"{field}.address_lines[{i}]", address.AddressLines[i], 200);
        errors.Count(field + ".recipients", address.Recipients.Count, 0, 5, "recipients");
        for (var i = 0; i < address.Recipients.Count && i < 5; i++)
            errors.Required($"{field}.recipients[{i}]", address.Recipients[i], 200);
    }
}
