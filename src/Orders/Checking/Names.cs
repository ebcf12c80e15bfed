using Commerce.ServiceDefaults;

namespace Commerce.Orders.Checking;

/// <summary>Reads the resource names of stores and products.</summary>
public static class Names
{
    /// <summary>The id in "stores/{store_id}".</summary>
    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static string Store(string field, string name) =>
        name.Split('/') is ["stores", { Length: > 0 and <= 40 } storeId]
            ? storeId
            : throw Failure.Invalid(new FieldError(field, "Give \"stores/\" and the store's id, for example \"stores/main\"."));

    /// <summary>The ids in "stores/{store_id}/products/{sku}" and what may follow.</summary>
    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static (string StoreId, string Sku) Product(string field, string name, string suffix = "")
    {
        var bare = name.EndsWith(suffix, StringComparison.Ordinal) ? name[..^suffix.Length] : "";
        return bare.Split('/') is ["stores", { Length: > 0 and <= 40 } storeId, "products", { Length: > 0 and <= 64 } sku]
            ? (storeId, sku)
            : throw Failure.Invalid(new FieldError(field, $"Give \"stores/{{store_id}}/products/{{sku}}{suffix}\"."));
    }
}
