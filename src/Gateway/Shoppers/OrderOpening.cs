using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Shoppers;

/// <summary>
/// Opens an order for who knows more of it than a code. What is done does not depend on whether there is such an order: always the same
/// questions to the services and never a copy, which only orders that exist have; and what is left of a difference in time is hidden, for
/// every answer waits for the same moment.
/// </summary>
internal sealed class OrderOpening(
    OrderService.OrderServiceClient orders, TrackingService.TrackingServiceClient tracking, Guesses guesses, OrderSessions sessions, EndedSessions ended,
    IOptions<ShopperOptions> options, IOptions<GatewayOptions> gateway, TimeProvider time)
{
    // With 34 random bits behind it, an order that there is not.
    private const string NobodysPrefix = "ZZZZZZ";
    private const string NobodysNumber = "0000NOBODY0000";

    private readonly ShopperOptions _options = options.Value;
    private readonly OrderLinks _links = new(options.Value.LinkKey);

    /// <exception cref="Failure">ORDER_NOT_OPENED, ORDER_ID_MISTYPED, GUESSING_SLOWED, DEPENDENCY_UNAVAILABLE, INVALID_FIELD.</exception>
    public async Task<OrderSession> Open(OpenOrderRequest request, string address, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        var (id, number) = TypedCode.Check(request.Code, errors);
        var factor = SecondFactor.Of(request, errors);
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        var began = time.GetTimestamp();
        var guess = await guesses.AtCode(id?.ToString() ?? number!, factor is SecondFactor.PostalCode, address);
        if (TypedCode.Mistyped(request.Code) is { } mistyped)
        {
            guess.Wrong();
            throw mistyped;
        }

        var session = await Answer(factor!, id, number, guess, cancellationToken);
        await Wait(began, cancellationToken);
        return session ?? throw new Failure(
            ErrorReason.OrderNotOpened, "This code and what was given with it open no order. Compare both with the confirmation of the order, or use the link in a message about it.");
    }

    /// <exception cref="Failure">LINK_NOT_GOOD, GUESSING_SLOWED, DEPENDENCY_UNAVAILABLE.</exception>
    public async Task<OrderSession> Open(OpenLinkRequest request, string address, CancellationToken cancellationToken)
    {
        if (_links.Read(request.Link, time.GetUtcNow()) is not { } link)
        {
            // A link that was sent is not slowed; who tries others is.
            (await guesses.From(address)).Wrong();
            throw NotGood();
        }

        var learnt = ended.Learnt;
        if (await ended.IsEnded(link, cancellationToken))
            throw NotGood();
        return await Get(link.OrderId, cancellationToken) is { } order && OrderLinks.IsFor(link, order.Customer?.Email ?? "") ? sessions.Open(order.OrderId, OpenedWith.Email, learnt) : throw NotGood();
    }

    private async Task<OrderSession?> Answer(SecondFactor factor, OrderId? id, string? number, Guesses.Guess guess, CancellationToken cancellationToken)
    {
        Order? order;
        long learnt;
        try
        {
            learnt = ended.Learnt;
            order = await Find(id, number, cancellationToken);
        }
        catch (Exception exception) when (exception is Failure or RpcException)
        {
            // Whether the services answer is nobody's secret, and they are asked the same of every order.
            await guess.Unanswered();
            throw;
        }

        if (!(factor.IsOf(order) & MayOpen(factor, order, byId: id is not null)))
        {
            guess.Wrong();
            return null;
        }

        await guess.Right();
        return sessions.Open(order!.OrderId, factor.Opens, learnt);
    }

    private bool MayOpen(SecondFactor factor, Order? order, bool byId) => factor is not SecondFactor.PostalCode || _options.PostalCode switch
    {
        PostalCodeUse.AnyCode => !_options.NoPostalCodeStores.Contains(order?.StoreId ?? ""),
        PostalCodeUse.OrderId => byId && !_options.NoPostalCodeStores.Contains(order?.StoreId ?? ""),
        _ => false,
    };

    // Some carriers' numbers look like a valid Order ID by chance, so it is asked for as both; where it is not both, for something that
    // nobody has.
    private async Task<Order?> Find(OrderId? id, string? number, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(gateway.Value.SourceTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            var byId = Get((id ?? Nobodys()).ToString(), linked.Token);
            var parcels = await tracking.LookupParcelsAsync(new LookupParcelsRequest { TrackingNumbers = { number ?? NobodysNumber } }, cancellationToken: linked.Token);
            var byNumber = Get(parcels.Matches is [var newest, ..] ? newest.OrderId : Nobodys().ToString(), linked.Token);
            return await byId ?? await byNumber;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Down();
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.Cancelled or StatusCode.DeadlineExceeded && !cancellationToken.IsCancellationRequested)
        {
            throw Down();
        }
    }

    private async Task<Order?> Get(string orderId, CancellationToken cancellationToken)
    {
        try
        {
            var order = await orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + orderId }, cancellationToken: cancellationToken);
            return order.OrderId == orderId ? order : null;
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.NotFound or StatusCode.InvalidArgument)
        {
            return null;
        }
    }

    private OrderId Nobodys() => OrderId.New(NobodysPrefix, time);

    // At the moment, or a multiple of it where the services were slower than they should be.
    private async Task Wait(long began, CancellationToken cancellationToken)
    {
        if (_options.AnswerAfter == TimeSpan.Zero)
            return;
        var passed = time.GetElapsedTime(began);
        var at = _options.AnswerAfter * (Math.Floor(passed / _options.AnswerAfter) + 1);
        await Task.Delay(at - passed, time, cancellationToken);
    }

    private static Failure Down() => new(ErrorReason.DependencyUnavailable, "What is needed to open an order does not answer; try again.") { RetryAfter = TimeSpan.FromSeconds(1) };

    private static Failure NotGood() => new(ErrorReason.LinkNotGood, "This link is not good, or not any more: open the order with its code and the e-mail address, telephone number or postal code of the order.");
}
