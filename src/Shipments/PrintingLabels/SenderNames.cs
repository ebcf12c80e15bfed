using System.Collections.Concurrent;
using Commerce.Orders.V1;
using Grpc.Core;

namespace Commerce.Shipments.PrintingLabels;

/// <summary>What stores are called, as Orders says; remembered for a while, since a label a second asks for the same one.</summary>
internal sealed class SenderNames(StoreService.StoreServiceClient stores, TimeProvider time)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, (string Name, DateTimeOffset Until)> _names = new(StringComparer.Ordinal);

    /// <summary>A label is printed although Orders does not answer: with the name that was known last, else the store's id.</summary>
    public async Task<string> Of(string storeId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var known = _names.TryGetValue(storeId, out var remembered);
        if (known && remembered.Until > now)
            return remembered.Name;
        try
        {
            var store = await stores.GetStoreAsync(new GetStoreRequest { Name = $"stores/{storeId}" }, cancellationToken: cancellationToken);
            var name = store.DisplayName.Length > 0 ? store.DisplayName : storeId;
            _names[storeId] = (name, now + Remembered);
            return name;
        }
        catch (RpcException) when (!cancellationToken.IsCancellationRequested)
        {
            return known ? remembered.Name : storeId;
        }
    }
}
