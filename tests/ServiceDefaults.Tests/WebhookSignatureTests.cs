using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>The Standard Webhooks scheme, against its published vectors and the cases of its libraries.</summary>
public sealed class WebhookSignatureTests
{
    private const string Secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    private const string Id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    private const string Payload = """{"email":"test@example.com","username":"test_user"}""";

    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1649367553);

    [Theory]
    [InlineData("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553, """{"email":"test@example.com","username":"test_user"}""", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, """{"test": 2432232314}""", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    public void Published_vectors_are_signed_and_verified(string secret, string id, long timestamp, string payload, string signature)
    {
        var body = Encoding.UTF8.GetBytes(payload);
        var time = DateTimeOffset.FromUnixTimeSeconds(timestamp);
        Assert.Equal(signature, WebhookSignature.Sign(id, time, body, secret));
        Assert.Equal(WebhookVerdict.Valid, WebhookSignature.Verify(Headers(id, timestamp.ToString(CultureInfo.InvariantCulture), signature), body, time, secret));
    }

    [Theory]
    [InlineData("v1,R3PTzyfHASBKHH98a7yexTwaJ4yNIcGhFQc1yuN+BPU=", WebhookVerdict.Invalid)]
    [InlineData("v1,", WebhookVerdict.Invalid)]
    [InlineData("v1,tZ1I4", WebhookVerdict.Invalid)]
    [InlineData("v1,dawfeoifkpqwoekfpqoekf", WebhookVerdict.Invalid)]
    [InlineData("v1a,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=", WebhookVerdict.Invalid)]
    [InlineData("v2,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=", WebhookVerdict.Invalid)]
    [InlineData("", WebhookVerdict.Missing)]
    [InlineData("v1,tFtCZ5RDCPxzWQRWXWPgrCgE2frDBe9gjpbWQxnVfsQ= v1,Mm7xgUVICxZfQ3bgf0h0Dof65L/IFx+PnZvnDWPCX6Q= v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw= v1,9DfC1c3eeOrXB6w/5dIDydLNQaEyww5KalE5jLBZucE=", WebhookVerdict.Valid)]
    [InlineData("v1,tFtCZ5RDCPxzWQRWXWPgrCgE2frDBe9gjpbWQxnVfsQ= v1,Mm7xgUVICxZfQ3bgf0h0Dof65L/IFx+PnZvnDWPCX6Q=", WebhookVerdict.Invalid)]
    public void Only_a_signature_that_fits_is_accepted(string signature, WebhookVerdict expected) =>
        Assert.Equal(expected, WebhookSignature.Verify(Headers(Id, "1649367553", signature), Encoding.UTF8.GetBytes(Payload), Now, Secret));

    [Theory]
    [InlineData(300, WebhookVerdict.Valid)]
    [InlineData(301, WebhookVerdict.Stale)]
    [InlineData(-300, WebhookVerdict.Valid)]
    [InlineData(-301, WebhookVerdict.Stale)]
    public void A_signature_is_good_for_five_minutes_either_way(int secondsLater, WebhookVerdict expected)
    {
        var body = Encoding.UTF8.GetBytes(Payload);
        var signed = Headers(Id, "1649367553", WebhookSignature.Sign(Id, Now, body, Secret));
        Assert.Equal(expected, WebhookSignature.Verify(signed, body, Now.AddSeconds(secondsLater), Secret));
        Assert.Equal(WebhookVerdict.Invalid, WebhookSignature.Verify(signed, "x"u8, Now.AddSeconds(secondsLater), Secret));
    }

    [Theory]
    [InlineData("webhook-id")]
    [InlineData("webhook-timestamp")]
    [InlineData("webhook-signature")]
    public void Each_header_is_needed_once(string name)
    {
        var body = Encoding.UTF8.GetBytes(Payload);
        var headers = Headers(Id, "1649367553", WebhookSignature.Sign(Id, Now, body, Secret));
        headers[name] = new([headers[name][0], headers[name][0]]);
        Assert.Equal(WebhookVerdict.Missing, WebhookSignature.Verify(headers, body, Now, Secret));
        headers.Remove(name);
        Assert.Equal(WebhookVerdict.Missing, WebhookSignature.Verify(headers, body, Now, Secret));
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("-1")]
    [InlineData("99999999999999999999")]
    [InlineData("9223372036854775807")]
    public void A_timestamp_that_is_none_counts_as_missing(string timestamp) =>
        Assert.Equal(WebhookVerdict.Missing, WebhookSignature.Verify(Headers(Id, timestamp, "v1,x"), default, Now, Secret));

    [Fact]
    public void A_plain_secret_and_several_secrets_work()
    {
        var body = Encoding.UTF8.GetBytes(Payload);
        var headers = Headers(Id, "1649367553", WebhookSignature.Sign(Id, Now, body, "plain text"));
        Assert.Equal(WebhookVerdict.Valid, WebhookSignature.Verify(headers, body, Now, Secret, "plain text"));
        Assert.Equal(WebhookVerdict.Invalid, WebhookSignature.Verify(headers, body, Now));
        Assert.Throws<ArgumentException>(() => WebhookSignature.Sign(Id, Now, body, "whsec_"));
        Assert.Throws<ArgumentException>(() => WebhookSignature.Sign(Id, Now, body, "whsec_%"));
        Assert.Throws<ArgumentException>(() => WebhookSignature.Verify(headers, body, Now, ""));
    }

    private static HeaderDictionary Headers(string id, string timestamp, string signature) => new()
    {
        ["Webhook-Id"] = id,
        ["Webhook-Timestamp"] = timestamp,
        ["Webhook-Signature"] = signature,
    };
}
