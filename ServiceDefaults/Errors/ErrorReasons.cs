using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.ServiceDefaults;

/// <summary>The gRPC code of each reason, as documented beside the enum.</summary>
public static class ErrorReasons
{
    /// <summary>The reason as it stands on the wire, for example "ORDER_NOT_FOUND".</summary>
    public static string NameOf(ErrorReason reason) => ErrorStatus.NameOf(reason);

    /// <summary>The gRPC code.</summary>
    public static StatusCode CodeOf(ErrorReason reason) => reason switch
    {
        ErrorReason.InvalidField or ErrorReason.MalformedRequest or ErrorReason.RequestIdReused
            or ErrorReason.PageTokenInvalid or ErrorReason.OrderIdMistyped or ErrorReason.SkuUnknown or ErrorReason.NarrowSearch
            or ErrorReason.TrackingAmbiguous or ErrorReason.CodeAmbiguous or ErrorReason.TrackingNotRecognised => StatusCode.InvalidArgument,
        ErrorReason.RequestTooLarge or ErrorReason.LimitReached or ErrorReason.RateLimited or ErrorReason.GuessingSlowed => StatusCode.ResourceExhausted,
        ErrorReason.RequestInProgress or ErrorReason.EtagMismatch => StatusCode.Aborted,
        ErrorReason.VersionNotReached or ErrorReason.DependencyUnavailable or ErrorReason.Overloaded => StatusCode.Unavailable,
        ErrorReason.Unauthenticated or ErrorReason.WebhookSignatureInvalid or ErrorReason.WebhookStale
            or ErrorReason.CredentialExpired or ErrorReason.CredentialRevoked => StatusCode.Unauthenticated,
        ErrorReason.PermissionDenied or ErrorReason.ScopeMissing or ErrorReason.StoreNotAllowed or ErrorReason.SecondFactorNeeded
            or ErrorReason.DocumentRestricted => StatusCode.PermissionDenied,
        ErrorReason.DeadlineExceeded or ErrorReason.StreamIdle => StatusCode.DeadlineExceeded,
        ErrorReason.Cancelled => StatusCode.Cancelled,
        ErrorReason.MethodNotFound => StatusCode.Unimplemented,
        ErrorReason.OrderNotFound or ErrorReason.StoreNotFound or ErrorReason.ProductNotFound or ErrorReason.PaymentNotFound or ErrorReason.RefundNotFound or ErrorReason.InvoiceNotFound or ErrorReason.ReturnNotFound
            or ErrorReason.ShipmentNotFound or ErrorReason.TrackingNotFound or ErrorReason.CarrierNotFound or ErrorReason.PostalCodeNotFound or ErrorReason.RateCardNotFound
            or ErrorReason.MovementNotFound or ErrorReason.CodeNotFound or ErrorReason.VocabularyNotFound or ErrorReason.QueueNotFound
            or ErrorReason.ResolutionNotFound or ErrorReason.ManifestNotFound or ErrorReason.ProofOfDeliveryNotFound or ErrorReason.ApiKeyNotFound
            or ErrorReason.OrderNotOpened or ErrorReason.LinkNotGood or ErrorReason.CustomerNotFound or ErrorReason.ErasureNotFound => StatusCode.NotFound,
        ErrorReason.OrderState or ErrorReason.OutOfStock or ErrorReason.PriceChanged or ErrorReason.RefundExceedsPayment
            or ErrorReason.ReturnState or ErrorReason.ReturnWindow or ErrorReason.NotReturnable or ErrorReason.PaymentElsewhere
            or ErrorReason.CustomerUnknown or ErrorReason.InsufficientCredit or ErrorReason.CreditLimit
            or ErrorReason.CaptureExceedsAuthorisation or ErrorReason.PaymentState or ErrorReason.MovementNotCorrectable
            or ErrorReason.ResolutionNotPossible or ErrorReason.LabelNotBought or ErrorReason.LabelVoid or ErrorReason.ManifestEmpty
            or ErrorReason.DeliveryChangeTooLate or ErrorReason.DeliveryChangePending or ErrorReason.ShipmentState or ErrorReason.ApiKeyState
            or ErrorReason.OrderErased or ErrorReason.OrdersUnderWay => StatusCode.FailedPrecondition,
        ErrorReason.StoreExists or ErrorReason.ExternalIdUsed or ErrorReason.WebhookReplayed => StatusCode.AlreadyExists,
        _ => StatusCode.Internal,
    };
}
