using System.Text;
using Commerce.Tracking.Payloads;

namespace Commerce.Tracking.Tests.Payloads;

/// <summary>Carriers that a shop describes itself.</summary>
public sealed class OwnShapeTests
{
    [Fact]
    public void A_shop_describes_the_JSON_of_a_carrier_that_nobody_knows()
    {
        var shape = PayloadShape.Parse("""
            {"name":"correo_local","carrier":"correo_local","parcels":["envios"],"number":["guia"],"events":["movimientos"],"code":["estado.id"],"words":["estado.texto"],
             "time":["fecha+hora"],"timeFormats":["dd/MM/yyyy HH:mm"],"homeZone":"America/Montevideo","place":{"locality":["ciudad"],"country":["pais"]},
             "codes":{"7":"DELIVERED","9":"DELIVERY_FAILED/REFUSED"}}
            """u8);
        var reading = new PayloadReader(shape).Read("""
            {"envios":{"guia":"UY-0012345","movimientos":[{"estado":{"id":7,"texto":"ok"},"fecha":"03/02/2026","hora":"18:05","ciudad":"Salto","pais":"Uruguay"},
             {"estado":{"id":1,"texto":"En reparto"},"fecha":"03/02/2026","hora":"09:00"}]}}
            """u8, "correo_local");

        Assert.Equal("correo_local", reading.Shape);
        Assert.Equal(["UY0012345", "UY0012345"], reading.Scans.Select(scan => scan.TrackingNumber));
        Assert.Equal([V1.TrackingStatus.Delivered, V1.TrackingStatus.OutForDelivery], reading.Scans.Select(scan => scan.Meaning.Status));
        Assert.Equal([false, true], reading.Scans.Select(scan => scan.Meaning.Inferred));
        Assert.Equal("2026-02-03T18:05:00-03:00", reading.Scans[0].Time.Text);
    }

    [Fact]
    public void A_shop_describes_a_list_as_CSV()
    {
        var shape = PayloadShape.Parse("""
            {"name":"kurier","carrier":"kurier","format":"csv","number":["Sendung"],"code":["Status"],"words":["Text"],"time":["Datum"],"homeZone":"Europe/Vienna","codes":{"Z":"DELIVERED"}}
            """u8);
        var reading = new PayloadReader(shape).Read(Encoding.UTF8.GetBytes("Sendung;Status;Text;Datum\nAB123456;Z;zugestellt;18.03.2026 10:02\nAB123457;?;\"in Zustellung; heute\";18.03.2026 09:00\n;Z;zugestellt;18.03.2026\n"), "kurier");

        Assert.Equal([("AB123456", V1.TrackingStatus.Delivered), ("AB123457", V1.TrackingStatus.OutForDelivery)], reading.Scans.Select(scan => (scan.TrackingNumber, scan.Meaning.Status)));
        Assert.Equal(2, Assert.Single(reading.Rejected).Index);
    }

    [Theory]
    [InlineData("{}", "name")]
    [InlineData("""{"name":"x","carrier":"x","number":["a"],"time":["b"],"code":["c"],"codes":{"1":"GONE"}}""", "not a status")]
    [InlineData("""{"name":"x","carrier":"x","number":["a"],"time":["b"],"code":["c"],"homeZone":"Middle/Earth"}""", "time zone")]
    [InlineData("""{"name":"x","carrier":"x","number":["a"],"time":["b"],"code":["c"],"typo":1}""", "typo")]
    [InlineData("""{"name":"x","carrier":"x","number":["a"],"time":["b"]}""", "code, words")]
    [InlineData("[]", "mapping")]
    [InlineData("nonsense", "mapping")]
    public void A_shape_that_cannot_be_right_is_refused_with_what_is_wrong(string json, string why) =>
        Assert.Contains(why, Assert.Throws<PayloadException>(() => PayloadShape.Parse(Encoding.UTF8.GetBytes(json))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_payload_that_nobody_described_is_read_by_what_its_fields_look_like()
    {
        var reading = new PayloadReader().Read("""
            {"data":{"waybillNumber":"WB123456789","history":[{"eventDate":"2024-03-01 10:00:00","statusDescription":"Out for delivery","city":"Lima"},{"eventDate":"2024-03-01 18:00:00","statusDescription":"Delivered","city":"Lima"}]}}
            """u8, "somebody", "somebody");

        Assert.Equal(PayloadReader.Unknown, reading.Shape);
        Assert.Equal([V1.TrackingStatus.OutForDelivery, V1.TrackingStatus.Delivered], reading.Scans.Select(scan => scan.Meaning.Status));
        Assert.All(reading.Scans, scan => Assert.Equal(("WB123456789", "Lima"), (scan.TrackingNumber, scan.Place.Locality)));
    }
}
