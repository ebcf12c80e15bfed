using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Cli.Payments;
using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;

namespace Commerce.Cli.Returns;

/// <summary>`./commerce return policy`: what a store promises about goods that come back.</summary>
internal static class PolicyCommand
{
    public static Command Create()
    {
        var store = Listing.Store();
        var window = new Option<int?>("--window-days") { Description = "Days after delivery in which goods can come back." };
        var fee = new Option<int?>("--restocking-fee") { Description = "What the shop keeps, in basis points (150 is 1.5 %)." };
        var damaged = new Option<int?>("--damaged-refund") { Description = "What is given back for damaged goods, in basis points." };
        var accept = new Option<ReturnReason[]>("--accept") { Description = "A reason that is accepted, once for each; none given: as it was." };
        var shopperPays = new Option<ReturnReason[]>("--shopper-pays") { Description = "A reason for which the shopper pays the way back, once for each; none given: as it was." };
        var autoApprove = new Option<bool?>("--auto-approve") { Description = "Whether returns are approved at once." };
        var photos = new Option<bool?>("--photos-needed") { Description = "Whether a photo is needed." };
        var shipping = new Option<bool?>("--refund-shipping") { Description = "Whether shipping goes back with the last piece." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "policy", "Show a store's return policy, or change what is given.\n\nExample: ./commerce return policy --store main --window-days 60 --shopper-pays ChangedMind --auto-approve true")
        {
            store, window, fee, damaged, accept, shopperPays, autoApprove, photos, shipping, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var shown = await api.Stores.GetStoreAsync(new GetStoreRequest { Name = "stores/" + parse.GetValue(store) }, OrderCommands.Options(cancellationToken));
                var policy = shown.ReturnPolicy.Clone();
                policy.WindowDays = parse.GetValue(window) ?? policy.WindowDays;
                policy.RestockingFeeBasisPoints = parse.GetValue(fee) ?? policy.RestockingFeeBasisPoints;
                policy.DamagedRefundBasisPoints = parse.GetValue(damaged) ?? policy.DamagedRefundBasisPoints;
                policy.AutoApprove = parse.GetValue(autoApprove) ?? policy.AutoApprove;
                policy.PhotosNeeded = parse.GetValue(photos) ?? policy.PhotosNeeded;
                policy.RefundShipping = parse.GetValue(shipping) ?? policy.RefundShipping;
                Replace(policy.AcceptedReasons, parse.GetValue(accept));
                Replace(policy.ShopperPaysReasons, parse.GetValue(shopperPays));
                if (!policy.Equals(shown.ReturnPolicy))
                {
                    shown = await api.Stores.UpdateStoreAsync(
                        new UpdateStoreRequest
                        {
                            Store = new Store { Name = shown.Name, Etag = shown.Etag, ReturnPolicy = policy },
                            UpdateMask = new FieldMask { Paths = { "return_policy" } },
                            RequestId = Guid.CreateVersion7().ToString(),
                        },
                        OrderCommands.Options(cancellationToken));
                }

                Write(shown.ReturnPolicy, parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static void Replace(Google.Protobuf.Collections.RepeatedField<ReturnReason> reasons, ReturnReason[]? given)
    {
        if (given is not { Length: > 0 })
            return;
        reasons.Clear();
        reasons.AddRange(given);
    }

    private static void Write(ReturnPolicy policy, bool json)
    {
        if (json)
        {
            Print.JsonFigures(policy);
            return;
        }

        AnsiConsole.MarkupLine($"{policy.WindowDays} days  [dim]accepted:[/] {(policy.AcceptedReasons.Count == 0 ? "every reason" : string.Join(", ", policy.AcceptedReasons))}");
        AnsiConsole.MarkupLine($"  [dim]the shopper pays the way back for:[/] {(policy.ShopperPaysReasons.Count == 0 ? "nothing" : string.Join(", ", policy.ShopperPaysReasons))} {Print.Amount(policy.ReturnPostage)}");
        AnsiConsole.MarkupLine($"  [dim]kept:[/] {policy.RestockingFeeBasisPoints} bp  [dim]of damaged goods given back:[/] {policy.DamagedRefundBasisPoints} bp");
        AnsiConsole.MarkupLine($"  [dim]approved at once:[/] {policy.AutoApprove}  [dim]photos needed:[/] {policy.PhotosNeeded}  [dim]shipping goes back:[/] {policy.RefundShipping}");
    }
}
