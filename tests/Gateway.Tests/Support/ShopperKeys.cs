namespace Commerce.Gateway.Tests;

/// <summary>What links and sessions of the tests are signed with.</summary>
internal static class ShopperKeys
{
    public const string Link = "a-secret-of-the-tests-for-links-of-orders";
    public const string Session = "a-secret-of-the-tests-for-order-sessions";
}
