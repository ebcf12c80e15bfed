using System.Collections.Concurrent;
using Commerce.Orders.V1;

namespace Commerce.Notifications.SendingMail;

/// <summary>How a store looks in its mails; asked of Orders and kept for a minute.</summary>
internal sealed class StoreBranding(StoreService.StoreServiceClient stores, TimeProvider time)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, (Store Store, DateTimeOffset Until)> _stores = new(StringComparer.Ordinal);

    public async Task<Store> Of(string storeId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (_stores.TryGetValue(storeId, out var known) && known.Until > now)
            return known.Store;
        var store = await stores.GetStoreAsync(new GetStoreRequest { Name = "stores/" + storeId }, cancellationToken: cancellationToken);
        _stores[storeId] = (store, now + Kept);
        return store;
    }
}
