using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.Carriers;

/// <summary>What is wrong with carriers that configuration describes is said on start, all of it at once and each by its key.</summary>
internal sealed class HttpCarrierValidation : IValidateOptions<ShipmentsOptions>
{
    public ValidateOptionsResult Validate(string? name, ShipmentsOptions options)
    {
        var errors = new List<string>();
        foreach (var (index, carrier) in options.HttpCarriers.Index())
            Check(carrier, $"Shipments:HttpCarriers:{index}", errors);
        if (options.EasyPost is { ApiKey.Length: > 0 } easyPost)
            Address(easyPost.BaseAddress, "Shipments:EasyPost:BaseAddress", errors);
        var codes = options.Carriers.Distinct().Concat(options.HttpCarriers.Select(carrier => carrier.Code)).Concat(options.EasyPost is { ApiKey.Length: > 0 } ? [EasyPostCarrier.OwnCode] : []);
        foreach (var twice in codes.GroupBy(code => code, StringComparer.Ordinal).Where(group => group.Count() > 1))
            errors.Add($"Shipments: two carriers have the code \"{twice.Key}\".");
        return errors.Count > 0 ? ValidateOptionsResult.Fail(errors) : ValidateOptionsResult.Success;
    }

    private static void Check(HttpCarrierOptions carrier, string key, List<string> errors)
    {
        var wrong = new List<ValidationResult>();
        if (!Validator.TryValidateObject(carrier, new ValidationContext(carrier), wrong, validateAllProperties: true))
            errors.AddRange(wrong.Select(one => $"{key}:{string.Join(", ", one.MemberNames)}: {one.ErrorMessage}"));
        Address(carrier.BaseAddress, key + ":BaseAddress", errors);
        foreach (var (name, value) in carrier.Headers)
        {
            if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') || value.Any(char.IsControl))
                errors.Add($"{key}:Headers: \"{name}\" is no header, or its value has more than one line.");
        }

        Path(carrier.Words, "Words");
        Call(carrier.Rates, "Rates");
        Call(carrier.Label, "Label");
        Call(carrier.Void, "Void");
        Call(carrier.Track, "Track");
        foreach (var (path, at) in new[]
        {
            (carrier.Rates.Items, "Rates:Items"), (carrier.Rates.Service, "Rates:Service"), (carrier.Rates.Price, "Rates:Price"), (carrier.Rates.Currency, "Rates:Currency"),
            (carrier.Rates.DaysMin, "Rates:DaysMin"), (carrier.Rates.DaysMax, "Rates:DaysMax"), (carrier.Label.Id, "Label:Id"), (carrier.Label.TrackingNumber, "Label:TrackingNumber"),
            (carrier.Label.Price, "Label:Price"), (carrier.Label.Currency, "Label:Currency"), (carrier.Label.EstimatedDelivery, "Label:EstimatedDelivery"), (carrier.Track.Items, "Track:Items"),
            (carrier.Track.Code, "Track:Code"), (carrier.Track.Description, "Track:Description"), (carrier.Track.Time, "Track:Time"), (carrier.Track.City, "Track:City"),
            (carrier.Track.Region, "Track:Region"), (carrier.Track.PostalCode, "Track:PostalCode"), (carrier.Track.Country, "Track:Country"),
        })
            Path(path, at);

        void Path(string path, string at)
        {
            if (JsonPath.TryParse(path) is null)
                errors.Add($"{key}:{at}: \"{path}\" is no path; give names with dots between, for example rates[0].price.");
        }

        void Call(HttpCallOptions call, string at)
        {
            if (call.Method is not ("GET" or "POST" or "PUT" or "PATCH" or "DELETE"))
                errors.Add($"{key}:{at}:Method: \"{call.Method}\" is none; GET, POST, PUT, PATCH and DELETE are.");
            if (!call.Path.StartsWith('/'))
                errors.Add($"{key}:{at}:Path: must begin with /.");
            if (HttpTemplate.Error(call.Path, isJson: false) is { } path)
                errors.Add($"{key}:{at}:Path: {path}.");
            if (HttpTemplate.Error(call.Body, isJson: true) is { } body)
                errors.Add($"{key}:{at}:Body: {body}.");
        }
    }

    private static void Address(string address, string key, List<string> errors)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Query.Length > 0)
            errors.Add($"{key}: must be an http or https URL without a query.");
    }
}
