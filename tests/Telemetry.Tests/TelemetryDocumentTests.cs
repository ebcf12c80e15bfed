namespace Commerce.Telemetry.Tests;

/// <summary>docs/telemetry.md and the code say the same, whichever of them is changed.</summary>
public sealed class TelemetryDocumentTests
{
    private static readonly IReadOnlyList<DeclaredInstrument> Instruments = TelemetryInCode.Instruments();

    [Fact]
    public void Every_instrument_is_declared_as_it_is_and_every_declared_one_exists()
    {
        var declared = TelemetryDocument.Read().Instruments;
        Assert.Empty(Instruments.Except(declared));
        Assert.Empty(declared.Except(Instruments));
        Assert.Equal(declared.Count, declared.Select(instrument => instrument.Name).Distinct().Count());
    }

    [Fact]
    public void Every_attribute_is_declared_and_every_declared_one_is_used()
    {
        var used = TelemetryInCode.Attributes(Instruments);
        var declared = TelemetryDocument.Read().Attributes;
        Assert.Empty(used.Except(declared));
        Assert.Empty(declared.Except(used));
        Assert.Equal(declared.Count, declared.Distinct().Count());
    }

    [Fact]
    public void Every_service_and_messaging_have_instruments_and_all_say_what_they_count()
    {
        Assert.Equal(
            ["Commerce.Gateway", "Commerce.Messaging", "Commerce.Notifications", "Commerce.Orders", "Commerce.Payments", "Commerce.Shipments"],
            Instruments.Select(instrument => instrument.Meter).Distinct().Order(StringComparer.Ordinal));
        Assert.All(Instruments, instrument => Assert.False(string.IsNullOrEmpty(instrument.Unit) || string.IsNullOrEmpty(instrument.Description), instrument.ToString()));
    }
}
