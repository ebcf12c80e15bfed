using Commerce.Messaging;
using Commerce.Orders.ChangingLines;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.EditingOrder;

/// <summary>Changes whom to reach, where and how an order goes and what is in it, until it is handed over.</summary>
public sealed class EditOrder(FindOrders find, RequestedChanges changes, ChangeLines changeLines, TimeProvider clock)
{
    private const string Customer = "customer";
    private const string Address = "shipping_address";
    private const string Lines = "lines";
    private const string WishesField = "delivery_wishes";

    // Each with the field of the contact that it names; the address is changed as a whole, because half of one is none.
    private static readonly string[] ContactFields = ["name", "email", "phone", "language_code"];

    /// <exception cref="Failure">
    /// INVALID_FIELD, ORDER_ID_MISTYPED, ORDER_NOT_FOUND, ORDER_STATE, ETAG_MISMATCH, REQUEST_ID_REUSED; for lines also SKU_UNKNOWN,
    /// PRICE_CHANGED, OUT_OF_STOCK.
    /// </exception>
    public async Task<V1.Order> Edit(UpdateOrderRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var mask = Check(request);
        if (mask is [Lines])
            return await changeLines.Change(request, key, cancellationToken);
        var id = await find.Resolve(request.Order.Name, cancellationToken);
        return await changes.Once(id, request.Order.Etag, key, decision => Decide(request.Order, mask, decision, cancellationToken), cancellationToken);
    }

    private static async Task<OrderChange?> Decide(V1.Order wanted, IReadOnlyList<string> mask, OrderDecision decision, CancellationToken cancellationToken)
    {
        var (contact, address, wishes) = await OrderStore.Recipient(decision.Connection, decision.Transaction, decision.Order.Id, cancellationToken);
        var (before, addressBefore, wishesBefore) = (contact.Clone(), address.Clone(), wishes);
        foreach (var path in mask)
        {
            if (path == Address)
                address = wanted.ShippingAddress.Clone();
            else if (path == WishesField)
                wishes = wanted.DeliveryWishes is { } given && given.CalculateSize() > 0 ? given : null;
            else
                Set(contact, wanted.Customer, path[(Customer.Length + 1)..]);
        }

        // Only the whole contact tells whether somebody can still be reached.
        var errors = new FieldErrors();
        errors.Customer("order." + Customer, contact);
        errors.ThrowIfAny();

        List<string> changed =
        [
            .. ContactFields.Where(field => !Equals(Get(before, field), Get(contact, field))).Select(field => $"{Customer}.{field}"),
            .. addressBefore.Equals(address) ? Enumerable.Empty<string>() : [Address],
            .. Equals(wishesBefore, wishes) ? Enumerable.Empty<string>() : [WishesField],
        ];
        var change = decision.Order.Edit(changed, decision.Moment);
        if (change is null)
            return null;
        OrderStore.SaveRecipient(decision.Batch, decision.Order.Id, contact, address, wishes);
        OrderTerms.ReplaceRecipient(decision.Batch, decision.Order.Id.Value, (before, addressBefore), (contact, address));
        return change;
    }

    private List<string> Check(UpdateOrderRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        if (request.Order is null)
        {
            errors.Add("order", "Give the order with its name and what is to be changed.");
            errors.ThrowIfAny();
        }

        errors.Etag("order.etag", request.Order!.Etag);
        var mask = new List<string>();
        var paths = request.UpdateMask?.Paths.Distinct().Take(FieldErrors.MostNamed).ToList() ?? [];
        if (paths.Count == 0)
            errors.Add("update_mask", "Name what is to be changed: \"customer\", a field of it such as \"customer.phone\", \"shipping_address\", \"delivery_wishes\", or \"lines\".");
        foreach (var path in paths)
        {
            if (path == Customer)
                mask.AddRange(ContactFields.Select(field => $"{Customer}.{field}"));
            else if (path is Address or Lines or WishesField || ContactFields.Any(field => path == $"{Customer}.{field}"))
                mask.Add(path);
            else
                errors.Add("update_mask", $"\"{(path.Length <= 60 ? path : path[..60])}\" cannot be changed; \"customer\", a field of it, \"shipping_address\", \"delivery_wishes\" and \"lines\" can.");
        }

        if (mask.Contains(Lines) && mask.Count > 1)
            errors.Add("update_mask", "\"lines\" is changed alone: what it costs is another matter than whom it reaches.");
        if (!mask.Contains(Lines) && request.AdditionalPayment is not null)
            errors.Add("additional_payment", "Is of use only where lines are changed.");
        if (mask.Any(path => path.StartsWith(Customer, StringComparison.Ordinal)) && request.Order.Customer is null)
            errors.Add("order.customer", "Is named by the mask and not given.");
        if (mask.Contains(WishesField))
            errors.DeliveryWishes("order." + WishesField, request.Order.DeliveryWishes, clock.GetUtcNow());
        if (mask.Contains(Address))
            errors.Address("order." + Address, request.Order.ShippingAddress);
        errors.ThrowIfAny();
        return [.. mask.Distinct()];
    }

    private static object? Get(Contact contact, string field) => Contact.Descriptor.FindFieldByName(field).Accessor.GetValue(contact);

    private static void Set(Contact contact, Contact from, string field) => Contact.Descriptor.FindFieldByName(field).Accessor.SetValue(contact, Get(from, field));
}
