using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;

namespace Commerce.Cli.Orders;

/// <summary>`./commerce order edit ID`: changes whom to reach and where an order goes.</summary>
internal static class EditCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("ID") { Description = "The Order ID." };
        var name = new Option<string?>("--name") { Description = "The shopper's name." };
        var email = new Option<string?>("--email") { Description = "Their e-mail address." };
        var phone = new Option<string?>("--phone") { Description = "Their phone number in E.164 form." };
        var lines = new Option<string[]>("--address-line") { Description = "Street and number; once for each line.", AllowMultipleArgumentsPerToken = false };
        var locality = new Option<string?>("--locality") { Description = "Town or city." };
        var area = new Option<string?>("--area") { Description = "State or province." };
        var postalCode = new Option<string?>("--postal-code") { Description = "Postal code." };
        var region = new Option<string?>("--region") { Description = "ISO 3166-1 alpha-2 country code." };
        var recipient = new Option<string?>("--recipient") { Description = "Who receives the parcel, if not the shopper." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "edit",
            "Change whom to reach and where an order goes, until a parcel is handed over. What is not given stays.\n\n"
            + "Example: ./commerce order edit ORD-7K3M9QX-T2F8CRW --phone +442079460001 --address-line \"9 New Street\" --postal-code \"M1 1AE\" --locality Manchester")
        {
            id, name, email, phone, lines, locality, area, postalCode, region, recipient, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var before = await api.Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + parse.GetRequiredValue(id) }, OrderCommands.Options(cancellationToken));
                // With the etag of what was read: the parts of the address that are not given are those of now.
                var wanted = new Order { Name = before.Name, Etag = before.Etag, Customer = new Contact(), ShippingAddress = before.ShippingAddress?.Clone() ?? new PostalAddress() };
                var mask = new FieldMask();
                Given(name, "customer.name", value => wanted.Customer.Name = value);
                Given(email, "customer.email", value => wanted.Customer.Email = value);
                Given(phone, "customer.phone", value => wanted.Customer.Phone = value);
                Given(locality, "shipping_address", value => wanted.ShippingAddress.Locality = value);
                Given(area, "shipping_address", value => wanted.ShippingAddress.AdministrativeArea = value);
                Given(postalCode, "shipping_address", value => wanted.ShippingAddress.PostalCode = value);
                Given(region, "shipping_address", value => wanted.ShippingAddress.RegionCode = value);
                Given(recipient, "shipping_address", value =>
                {
                    wanted.ShippingAddress.Recipients.Clear();
                    wanted.ShippingAddress.Recipients.Add(value);
                });
                if (parse.GetValue(lines) is { Length: > 0 } given)
                {
                    wanted.ShippingAddress.AddressLines.Clear();
                    wanted.ShippingAddress.AddressLines.Add(given);
                    mask.Paths.Add("shipping_address");
                }

                if (mask.Paths.Count == 0)
                    throw new UsageException("Say what is to be changed, for example --phone +442079460001.");
                var order = await api.Orders.UpdateOrderAsync(
                    new UpdateOrderRequest { Order = wanted, UpdateMask = mask, RequestId = Guid.CreateVersion7().ToString() }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(order);
                else
                    OrderView.Write(order);
                return Exit.Done;

                void Given(Option<string?> option, string path, Action<string> set)
                {
                    if (parse.GetValue(option) is not { } value)
                        return;
                    set(value);
                    mask.Paths.Add(path);
                }
            },
            cancellationToken));
        return command;
    }
}
