using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Commerce.Gateway.Tests;

/// <summary>
/// What of a view strangers and shoppers are shown, field by field: every field is filled, and what is left of them is held against a list. So
/// whoever adds a field decides who sees it. With COMMERCE_WRITE_DOCS=true the lists are written and not compared.
/// </summary>
public sealed class ShownTests
{
    // Kinds and reasons that are hidden themselves are looked at below.
    private const int Deepest = 9;

    [Theory]
    [InlineData("Shopper")]
    [InlineData("Public")]
    public void Each_class_is_shown_these_fields_and_no_others(string visibility)
    {
        var shown = Visibilities.Reduce(Everything(), Enum.Parse<Visibility>(visibility));
        var hidden = Paths(Everything()).Except(Paths(shown)).ToList();
        var text = string.Concat(Paths(shown).Select(path => $"{path}\n"));
        if (visibility == "Shopper")
            text += "\nhidden:\n" + string.Concat(hidden.Select(path => $"{path}\n"));
        var path = Path.Combine(Repository(), "tests", "Gateway.Tests", "Shown", $"{visibility}.txt");
        if (Environment.GetEnvironmentVariable("COMMERCE_WRITE_DOCS") == "true")
            File.WriteAllText(path, text);
        else
            Assert.Equal(File.ReadAllText(path), text);
    }

    [Fact]
    public void A_stranger_is_shown_journeys_alone() =>
        Assert.All(Paths(Visibilities.Reduce(Everything(), Visibility.Public)), path => Assert.StartsWith("journeys.", path, StringComparison.Ordinal));

    [Fact]
    public void A_time_that_is_none_may_say_anything_and_says_nothing_to_a_stranger()
    {
        var view = new LookupView { Shipments = { new Shipments.V1.Shipment { Scans = { new Shipments.V1.Scan { LocalTime = "left with Ada at 10:00" } } } } };
        Assert.Equal("", Visibilities.Reduce(view, Visibility.Public).Journeys[0].Events[0].LocalTime);
    }

    [Fact]
    public void The_answer_to_a_stranger_has_these_fields() =>
        Assert.Equal(["journeys", "stale_since_time"], GetJourneyResponse.Descriptor.Fields.InDeclarationOrder().Select(field => field.Name));

    [Fact]
    public void Nobody_is_told_that_they_are_suspected_nor_what_is_between_the_shop_and_its_carriers()
    {
        var view = new LookupView
        {
            Order = new Orders.V1.Order { Cancellation = new Orders.V1.Cancellation { Reason = Orders.V1.CancelReason.Fraud } },
            Shipments = { Enum.GetValues<Shipments.V1.ShipmentException.Types.Kind>().Select(kind => new Shipments.V1.Shipment { Exception = new Shipments.V1.ShipmentException { Kind = kind } }) },
        };
        var shown = Visibilities.Reduce(view, Visibility.Shopper);
        Assert.Equal(Orders.V1.CancelReason.Shop, shown.Order.Cancellation.Reason);
        Assert.DoesNotContain(shown.Shipments, one => one.Exception?.Kind is Shipments.V1.ShipmentException.Types.Kind.LabelRefused or Shipments.V1.ShipmentException.Types.Kind.RefundNotGranted);
        Assert.Contains(shown.Shipments, one => one.Exception?.Kind == Shipments.V1.ShipmentException.Types.Kind.Silent);
    }

    [Fact]
    public void A_shopper_sees_what_was_decided_in_the_place_of_a_parcel_and_not_what_came_to_nothing()
    {
        var view = new LookupView
        {
            Shipments = { Enum.GetValues<Shipments.V1.DecidedRemedy.Types.State>().Select(state => new Shipments.V1.Shipment { DecidedRemedy = new Shipments.V1.DecidedRemedy { State = state } }) },
        };
        var shown = Visibilities.Reduce(view, Visibility.Shopper).Shipments;
        Assert.Equal(view.Shipments.Count - 1, shown.Count(one => one.DecidedRemedy is not null));
        Assert.DoesNotContain(shown, one => one.DecidedRemedy?.State == Shipments.V1.DecidedRemedy.Types.State.Failed);
    }

    private static LookupView Everything()
    {
        var view = (LookupView)Fill(LookupView.Descriptor, 0);
        // Of a part that is asked for, not of the class that is made of it.
        view.Journeys.Clear();
        view.Shipments[0].Scans[0].LocalTime = "2026-11-24T10:00:00-03:00";
        view.Shipments[0].Exception.Kind = Shipments.V1.ShipmentException.Types.Kind.Silent;
        return view;
    }

    private static IMessage Fill(MessageDescriptor descriptor, int depth)
    {
        var message = descriptor.Parser.ParseFrom(ByteString.Empty);
        foreach (var field in descriptor.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.Message && depth >= Deepest || field.IsMap)
                continue;
            var value = Value(field, depth);
            if (field.IsRepeated)
                ((System.Collections.IList)field.Accessor.GetValue(message)).Add(value);
            else
                field.Accessor.SetValue(message, value);
        }

        return message;
    }

    private static object Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.Message => Fill(field.MessageType, depth + 1),
        FieldType.String => "x",
        FieldType.Bool => true,
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => 1,
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => 1L,
        FieldType.UInt32 or FieldType.Fixed32 => 1U,
        FieldType.UInt64 or FieldType.Fixed64 => 1UL,
        FieldType.Double => 1.0,
        FieldType.Float => 1.0f,
        FieldType.Bytes => ByteString.CopyFromUtf8("x"),
        FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, field.EnumType.Values.First(value => value.Number > 0).Number),
        _ => throw new NotSupportedException(field.FullName),
    };

    // Times and amounts are one thing each.
    private static IEnumerable<string> Paths(IMessage message, string before = "")
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(message);
            foreach (var one in field.IsRepeated ? ((System.Collections.IEnumerable)value).Cast<object>() : [value])
            {
                if (one is IMessage inner && !inner.Descriptor.File.Package.StartsWith("google.", StringComparison.Ordinal))
                {
                    foreach (var path in Paths(inner, $"{before}{field.Name}."))
                        yield return path;
                }
                else if (one is not (null or "" or false or 0 or 0L or 0.0) && (one is not Enum named || Convert.ToInt64(named, System.Globalization.CultureInfo.InvariantCulture) != 0))
                {
                    yield return before + field.Name;
                }
            }
        }
    }

    private static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("Commerce.sln is not above the tests.");
    }
}
