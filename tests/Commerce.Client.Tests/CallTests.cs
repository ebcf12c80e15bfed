using Commerce.Orders.V1;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Commerce.Client.Tests;

public sealed class CallTests : IAsyncLifetime
{
    private FakeSuite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await FakeSuite.Start();

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task A_write_that_nobody_answered_is_sent_again_under_the_request_id_that_it_was_given()
    {
        _suite.Order = call => call < 3 ? throw FakeSuite.Refusal(StatusCode.Unavailable, "DEPENDENCY_UNAVAILABLE") : new Order { OrderId = "ORD-1" };
        using var client = _suite.Client();
        var request = new PlaceOrderRequest { StoreId = "main" };

        Assert.Equal("ORD-1", (await client.Orders.PlaceOrderAsync(request)).OrderId);

        var ids = _suite.Calls.Select(call => ((PlaceOrderRequest)call.Request).RequestId).ToArray();
        Assert.Equal(3, ids.Length);
        Assert.True(Guid.TryParse(ids[0], out _));
        Assert.Single(ids.Distinct());
        // The message is the caller's: sent again, it is another order.
        Assert.Empty(request.RequestId);
    }

    [Fact]
    public async Task A_request_id_of_the_callers_own_stays()
    {
        using var client = _suite.Client();
        await client.Orders.PlaceOrderAsync(new PlaceOrderRequest { RequestId = "mine" });
        Assert.Equal("mine", ((PlaceOrderRequest)_suite.Calls.Single().Request).RequestId);
    }

    [Fact]
    public void A_call_that_waits_for_its_answer_is_treated_alike()
    {
        _suite.Order = call => call < 2 ? throw FakeSuite.Refusal(StatusCode.Unavailable, "DEPENDENCY_UNAVAILABLE") : new Order { OrderId = "ORD-1" };
        using var client = _suite.Client();
        Assert.Equal("ORD-1", client.Orders.GetOrder(new GetOrderRequest { Name = "orders/ORD-1" }).OrderId);
        Assert.Equal(2, _suite.Calls.Count);
    }

    [Fact]
    public async Task It_is_not_sent_more_often_than_the_options_say()
    {
        _suite.Order = _ => throw FakeSuite.Refusal(StatusCode.Unavailable, "DEPENDENCY_UNAVAILABLE");
        using var client = _suite.Client(options => options.MaxAttempts = 2);
        var error = await Assert.ThrowsAsync<CommerceException>(() => client.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
        Assert.Equal("DEPENDENCY_UNAVAILABLE", error.Reason);
        Assert.Equal(2, _suite.Calls.Count);
    }

    [Fact]
    public async Task The_suite_says_how_long_to_wait_and_nobody_waits_past_the_deadline()
    {
        _suite.Order = _ => throw FakeSuite.Refusal(StatusCode.Unavailable, "DEPENDENCY_UNAVAILABLE", TimeSpan.FromMinutes(5));
        using var client = _suite.Client();
        var error = await Assert.ThrowsAsync<CommerceException>(() => client.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
        Assert.Equal(TimeSpan.FromMinutes(5), error.RetryAfter);
        Assert.Single(_suite.Calls);
    }

    [Theory]
    [InlineData(StatusCode.FailedPrecondition)]
    [InlineData(StatusCode.Internal)]
    [InlineData(StatusCode.ResourceExhausted)]
    public async Task What_was_answered_is_not_asked_again(StatusCode code)
    {
        _suite.Order = _ => throw FakeSuite.Refusal(code, "ORDER_STATE");
        using var client = _suite.Client();
        await Assert.ThrowsAsync<CommerceException>(() => client.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
        Assert.Single(_suite.Calls);
    }

    [Fact]
    public async Task A_stream_of_the_callers_is_never_sent_again_and_its_error_has_its_reason()
    {
        _suite.Order = _ => throw FakeSuite.Refusal(StatusCode.Unavailable, "DEPENDENCY_UNAVAILABLE");
        using var client = _suite.Client();
        using var call = client.Orders.ImportOrders();
        await call.RequestStream.CompleteAsync();
        Assert.Equal("DEPENDENCY_UNAVAILABLE", (await Assert.ThrowsAsync<CommerceException>(() => call.ResponseAsync)).Reason);
        Assert.Single(_suite.Calls);
    }

    [Fact]
    public async Task Errors_tell_the_reason_the_fields_and_what_was_meant()
    {
        _suite.Order = _ => throw FakeSuite.Refusal(StatusCode.InvalidArgument, "ORDER_ID_MISTYPED", null, ("name", "Is mistyped."));
        using var client = _suite.Client();
        var error = await Assert.ThrowsAsync<CommerceException>(() => client.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
        Assert.Equal(("ORDER_ID_MISTYPED", ErrorReason.OrderIdMistyped, StatusCode.InvalidArgument, "No."), (error.Reason, error.KnownReason, error.StatusCode, error.Message));
        Assert.Equal([new FieldViolation("name", "Is mistyped.")], error.FieldViolations);
        Assert.Equal("ORD-2", error.Metadata["meant"]);
    }

    [Fact]
    public async Task A_reason_of_a_later_version_is_told_as_it_is()
    {
        _suite.Order = _ => throw FakeSuite.Refusal(StatusCode.FailedPrecondition, "MOON_FULL");
        using var client = _suite.Client();
        var error = await Assert.ThrowsAsync<CommerceException>(() => client.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
        Assert.Equal(("MOON_FULL", ErrorReason.Unspecified), (error.Reason, error.KnownReason));
    }

    [Fact]
    public async Task Calls_have_a_deadline_unless_they_bring_one()
    {
        using var client = _suite.Client(options => options.Deadline = TimeSpan.FromSeconds(40));
        await client.Orders.GetOrderAsync(new GetOrderRequest());
        await client.Orders.GetOrderAsync(new GetOrderRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(200));
        var left = _suite.Calls.Select(call => (call.Deadline - TimeProvider.System.GetUtcNow().UtcDateTime).TotalSeconds).ToArray();
        Assert.InRange(left[0], 20, 41);
        Assert.InRange(left[1], 180, 201);
    }

    [Fact]
    public async Task An_API_key_goes_with_every_call()
    {
        using var client = _suite.Client(options => options.ApiKey = "ck_1_secret");
        await client.Orders.GetOrderAsync(new GetOrderRequest());
        Assert.Equal("Bearer ck_1_secret", _suite.Calls.Single().Headers.GetValue("authorization"));
    }

    [Fact]
    public async Task A_token_is_fetched_once_for_all_and_again_before_it_ends()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var fetched = 0;
        using var tokens = new Tokens(
            async _ =>
            {
                await Task.Yield();
                return new AccessToken($"t{Interlocked.Increment(ref fetched)}", time.GetUtcNow() + TimeSpan.FromMinutes(5));
            },
            time);

        var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => tokens.Get(CancellationToken.None).AsTask()));
        Assert.Equal(["t1"], all.Distinct());
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal("t1", await tokens.Get(CancellationToken.None));
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal("t2", await tokens.Get(CancellationToken.None));
    }

    [Fact]
    public async Task A_token_that_is_refused_is_replaced_once()
    {
        var fetched = 0;
        using var client = _suite.Client(options => options.TokenProvider = _ => ValueTask.FromResult(new AccessToken($"t{++fetched}", DateTimeOffset.MaxValue)));
        _suite.Order = call => call == 1 ? throw FakeSuite.Refusal(StatusCode.Unauthenticated, "UNAUTHENTICATED") : new Order { OrderId = "ORD-1" };
        await client.Orders.PlaceOrderAsync(new PlaceOrderRequest());
        Assert.Equal(["Bearer t1", "Bearer t2"], _suite.Calls.Select(call => call.Headers.GetValue("authorization")));

        _suite.Order = _ => throw FakeSuite.Refusal(StatusCode.Unauthenticated, "UNAUTHENTICATED");
        await Assert.ThrowsAsync<CommerceException>(() => client.Orders.PlaceOrderAsync(new PlaceOrderRequest()).ResponseAsync);
        Assert.Equal(4, _suite.Calls.Count);
    }

    [Fact]
    public void A_token_does_not_get_into_logs() => Assert.DoesNotContain("secret", new AccessToken("secret", DateTimeOffset.MaxValue).ToString(), StringComparison.Ordinal);

    [Fact]
    public void Wrong_options_are_told_all_at_once()
    {
        using var provider = new ServiceCollection()
            .AddCommerceClient(options =>
            {
                options.Address = new Uri("http://api.shop.example");
                options.ApiKey = "ck_1_secret";
                options.MaxAttempts = 0;
            })
            .BuildServiceProvider();
        var error = Assert.Throws<OptionsValidationException>(provider.GetRequiredService<CommerceClient>);
        Assert.Equal(2, error.Failures.Count());
        Assert.Contains("https", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("ck_1", error.Message, StringComparison.Ordinal);
    }
}
