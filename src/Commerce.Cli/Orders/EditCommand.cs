using System.CommandLine;
using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;

namespace Commerce.Cli.Orders;

/// <summary>`./commerce order edit ID`: changes whom to reach, where an order goes and what is in it.</summary>
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
        var leaveAt = new Option<string?>("--leave-at") { Description = "Where it may be left if nobody opens; \"\" for nowhere." };
        var day = new Option<string?>("--deliver-on") { Description = "The day on which it should come: 2026-12-24; \"\" for any." };
        var between = new Option<string?>("--deliver-between") { Description = "When in the day it should come: 09:00-12:30; \"\" for any time." };
        var fragile = new Option<bool?>("--fragile") { Description = "Whether it breaks easily: true or false." };
        var neighbour = new Option<string?>("--neighbour") { Description = "The neighbour who takes it if nobody opens; \"\" for nobody." };
        var pickup = new Option<string?>("--pickup-point") { Description = "The carrier's code of the shop or the locker where it is to wait instead; \"\" for none." };
        var signature = new Option<bool?>("--signature") { Description = "Whether somebody is to sign for it." };
        var giftNote = new Option<string?>("--gift-note") { Description = "What is written on a card in it." };
        var setLine = new Option<string[]>("--set-line") { Description = "LINE=PIECES: so many pieces of a line from now on; once for each line." };
        var removeLine = new Option<int[]>("--remove-line") { Description = "LINE: none of it any more." };
        var addLine = new Option<string[]>("--add-line") { Description = "SKU=PIECES: an article of the catalogue at today's price." };
        var token = new Option<string?>("--pay-with") { Description = "The provider's token of a card that pays what the lines cost more; without, the order's own." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "edit",
            "Change whom to reach, where an order goes or what is in it, until a parcel is handed over. What is not given stays. Lines are\n"
            + "changed alone; those that make the order dearer wait until the difference is paid.\n\n"
            + "Example: ./commerce order edit ORD-7K3M9QX-T2F8CRW --set-line 2=3 --remove-line 1 --add-line LAMP-7=2\n"
            + "Example: ./commerce order edit ORD-7K3M9QX-T2F8CRW --leave-at \"with the neighbour at no. 12\" --deliver-on 2026-12-24\n"
            + "Example: ./commerce order edit ORD-7K3M9QX-T2F8CRW --phone +442079460001 --address-line \"9 New Street\" --postal-code \"M1 1AE\" --locality Manchester")
        {
            id, name, email, phone, lines, locality, area, postalCode, region, recipient, leaveAt, neighbour, pickup, day, between, signature, fragile, giftNote, setLine, removeLine, addLine, token, json,
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

                wanted.DeliveryWishes = before.DeliveryWishes?.Clone() ?? new DeliveryWishes();
                Given(leaveAt, "delivery_wishes", value => wanted.DeliveryWishes.LeaveAt = value);
                Given(neighbour, "delivery_wishes", value => wanted.DeliveryWishes.Neighbour = value);
                Given(pickup, "delivery_wishes", value => wanted.DeliveryWishes.PickupPoint = value);
                Given(giftNote, "delivery_wishes", value => wanted.DeliveryWishes.GiftNote = value);
                Given(day, "delivery_wishes", value => wanted.DeliveryWishes.PreferredDay = Day(value));
                Given(between, "delivery_wishes", value => (wanted.DeliveryWishes.WindowFrom, wanted.DeliveryWishes.WindowUntil) = Window(value));
                if (parse.GetValue(fragile) is { } breaks)
                {
                    wanted.DeliveryWishes.Fragile = breaks;
                    mask.Paths.Add("delivery_wishes");
                }

                if (parse.GetValue(signature) is { } sign)
                {
                    wanted.DeliveryWishes.SignatureWanted = sign;
                    mask.Paths.Add("delivery_wishes");
                }

                var request = new UpdateOrderRequest { Order = wanted, UpdateMask = mask, RequestId = Guid.CreateVersion7().ToString() };
                wanted.Lines.Add(before.Lines.Where(line => line.Quantity > 0));
                if (Lines(wanted, parse.GetValue(setLine) ?? [], parse.GetValue(removeLine) ?? [], parse.GetValue(addLine) ?? []))
                    mask.Paths.Add("lines");
                if (parse.GetValue(token) is { Length: > 0 } payWith)
                    request.AdditionalPayment = new PaymentPart { Method = PaymentMethod.Card, Token = payWith };

                if (mask.Paths.Count == 0)
                    throw new UsageException("Say what is to be changed, for example --phone +442079460001.");
                var order = await api.Orders.UpdateOrderAsync(request, OrderCommands.Options(cancellationToken));
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

    private static Date? Day(string text) => text.Length == 0 ? null
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? new Date { Year = day.Year, Month = day.Month, Day = day.Day }
            : throw new UsageException($"\"{text}\" is not a day; write it as 2026-12-24.");

    private static (TimeOfDay? From, TimeOfDay? Until) Window(string text)
    {
        if (text.Length == 0)
            return (null, null);
        return text.Split('-') is [var from, var until] && Time(from) is { } first && Time(until) is { } last
            ? (first, last)
            : throw new UsageException($"\"{text}\" is not a window; write it as 09:00-12:30.");

        static TimeOfDay? Time(string text) => TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? new TimeOfDay { Hours = time.Hour, Minutes = time.Minute }
            : null;
    }

    // False where nothing of the lines was given.
    private static bool Lines(Order wanted, string[] set, int[] remove, string[] add)
    {
        foreach (var (key, pieces) in set.Select(one => Pair(one, "--set-line 2=3")))
            Line(int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new UsageException($"\"{key}\" is not the number of a line.")).Quantity = pieces;
        foreach (var number in remove)
            wanted.Lines.Remove(Line(number));
        foreach (var (sku, pieces) in add.Select(one => Pair(one, "--add-line LAMP-7=2")))
            wanted.Lines.Add(new OrderLine { Sku = sku, Quantity = pieces });
        return set.Length + remove.Length + add.Length > 0;

        OrderLine Line(int number) => wanted.Lines.FirstOrDefault(line => line.LineNumber == number && number > 0) ?? throw new UsageException($"The order has no line {number}.");
    }

    private static (string Key, int Pieces) Pair(string text, string example) =>
        text.Split('=') is [{ Length: > 0 } key, var count] && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var pieces)
            ? (key, pieces)
            : throw new UsageException($"\"{text}\" says no number of pieces; write it as in {example}.");
}
