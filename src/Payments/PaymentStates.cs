namespace Commerce.Payments;

/// <summary>How far a payment has come, of all parts together. The numbers are stored, and are those of the proto's enum.</summary>
public enum PaymentState
{
    /// <summary>Nothing is certain yet: the provider was not asked, did not answer, or waits for the shopper.</summary>
    Pending = 1,

    /// <summary>The provider holds the whole amount.</summary>
    Authorised = 2,

    /// <summary>The whole amount was taken.</summary>
    Captured = 3,

    /// <summary>A part was declined, and nothing of the others is held or kept any more.</summary>
    Declined = 4,

    /// <summary>Cancelled before anything was taken; nothing is held any more.</summary>
    Voided = 5,

    /// <summary>Some of what was taken was given back.</summary>
    PartlyRefunded = 6,

    /// <summary>All that was taken was given back.</summary>
    Refunded = 7,

    /// <summary>Some was taken, and more is held.</summary>
    PartlyCaptured = 8,

    /// <summary>The provider waits for something that the shopper has to do.</summary>
    RequiresAction = 9,
}

/// <summary>How far one part has come. The numbers are stored.</summary>
public enum PartState
{
    /// <summary>The provider was never asked, so nothing can have happened there.</summary>
    Pending = 1,

    /// <summary>The provider was asked, perhaps: what it made of that is known only by asking under the same key.</summary>
    Asking = 2,

    /// <summary>The provider waits for the shopper, or for its bank.</summary>
    Waiting = 3,

    /// <summary>The provider holds the part's amount.</summary>
    Authorised = 4,

    /// <summary>The amount was taken.</summary>
    Captured = 5,

    /// <summary>The provider declined.</summary>
    Declined = 6,

    /// <summary>The hold was released, or nothing was ever asked for.</summary>
    Voided = 7,

    /// <summary>Some of what was taken was given back.</summary>
    PartlyRefunded = 8,

    /// <summary>All that was taken was given back.</summary>
    Refunded = 9,
}

/// <summary>What is to be done about a part at its provider.</summary>
public enum PartAction
{
    /// <summary>Ask the provider to hold the amount.</summary>
    Authorise,

    /// <summary>Take what is held.</summary>
    Capture,

    /// <summary>Release what is held, or stop waiting for the shopper.</summary>
    Void,

    /// <summary>Give back what was taken and not given back yet.</summary>
    Refund,
}
