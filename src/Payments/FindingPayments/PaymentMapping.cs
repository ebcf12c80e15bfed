using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Payments.FindingPayments;

/// <summary>From the aggregate to the wire.</summary>
internal static class PaymentMapping
{
    public static V1.Payment ToProto(Payment payment) => new()
    {
        Name = PaymentNames.Of(payment.OrderId),
        OrderId = payment.OrderId,
        StoreId = payment.StoreId,
        CustomerId = payment.CustomerId,
        State = (V1.Payment.Types.State)payment.State,
        Amount = payment.Due.ToProto(),
        CapturedAmount = payment.Captured.ToProto(),
        RefundedAmount = payment.Refunded.ToProto(),
        Parts = { payment.Parts.Select(ToProto) },
        CreateTime = Timestamp.FromDateTimeOffset(payment.CreatedAt),
        UpdateTime = Timestamp.FromDateTimeOffset(payment.UpdatedAt),
        Version = payment.Version,
        Etag = EtagOf(payment),
        CaptureMode = (Types.V1.CaptureMode)payment.CaptureMode,
        CapturableAmount = payment.Capturable.ToProto(),
        Captures = { payment.Captures.Select(ToProto) },
        Settled = payment.IsSettled,
    };

    /// <summary>Finer than the version: what a part has come to shows before the payment as a whole has news to tell.</summary>
    public static string EtagOf(Payment payment) => string.Create(CultureInfo.InvariantCulture, $"\"{payment.Revision}\"");

    public static V1.Refund ToProto(Payment payment, Refund refund) => new()
    {
        Name = PaymentNames.Of(payment, refund),
        OrderId = payment.OrderId,
        StoreId = payment.StoreId,
        State = (V1.Refund.Types.State)refund.State,
        Amount = refund.Amount.ToProto(),
        RefundedAmount = refund.Given.ToProto(),
        Reason = (V1.RefundReason)refund.Reason,
        Destination = (V1.RefundDestination)refund.Destination,
        Note = refund.Note,
        Parts = { refund.Pieces.OrderBy(p => p.PartNumber).Select(ToProto) },
        CreateTime = Timestamp.FromDateTimeOffset(refund.CreatedAt),
        UpdateTime = Timestamp.FromDateTimeOffset(refund.UpdatedAt),
    };

    private static V1.Refund.Types.Part ToProto(RefundPiece piece) => new()
    {
        PartNumber = piece.PartNumber,
        Amount = piece.Amount.ToProto(),
        State = piece.State switch
        {
            RefundPieceState.Succeeded => V1.Refund.Types.State.Succeeded,
            RefundPieceState.Failed => V1.Refund.Types.State.Failed,
            _ => V1.Refund.Types.State.Pending,
        },
        FailureReason = piece.FailureReason ?? "",
        ProviderReference = piece.ProviderReference ?? "",
    };

    private static V1.Payment.Types.Capture ToProto(Capture capture) => new()
    {
        CaptureNumber = capture.Number,
        State = (V1.Payment.Types.Capture.Types.State)capture.State,
        Amount = capture.Amount.ToProto(),
        CapturedAmount = capture.Taken.ToProto(),
        FailureReason = capture.Pieces.Select(p => p.FailureReason).FirstOrDefault(r => r is not null) ?? "",
        Actor = capture.By,
        CreateTime = Timestamp.FromDateTimeOffset(capture.CreatedAt),
        UpdateTime = Timestamp.FromDateTimeOffset(capture.UpdatedAt),
    };

    private static V1.Payment.Types.Part ToProto(PaymentPart part) => new()
    {
        PartNumber = part.Number,
        Method = part.Method,
        Amount = part.Amount.ToProto(),
        Instalments = part.Instalments,
        State = part.State switch
        {
            PartState.Authorised => V1.Payment.Types.State.Authorised,
            PartState.Captured => V1.Payment.Types.State.Captured,
            PartState.Declined => V1.Payment.Types.State.Declined,
            PartState.Voided => V1.Payment.Types.State.Voided,
            PartState.PartlyRefunded => V1.Payment.Types.State.PartlyRefunded,
            PartState.Refunded => V1.Payment.Types.State.Refunded,
            _ when part.NextActionUrl is not null => V1.Payment.Types.State.RequiresAction,
            _ => V1.Payment.Types.State.Pending,
        },
        NextActionUrl = part.NextActionUrl ?? "",
        DeclineReason = part.DeclineReason ?? "",
        Provider = part.Provider,
        ProviderReference = part.ProviderReference ?? "",
        CapturedAmount = part.Captured.ToProto(),
        RefundedAmount = part.Refunded.ToProto(),
        ChangeNumber = part.Change,
    };
}
