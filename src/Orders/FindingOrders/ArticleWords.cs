using Commerce.Orders.Storage;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Orders.FindingOrders;

/// <summary>
/// Keeps the words of titles, once for each article and title. Those that are known to be kept are remembered, so that an
/// order of articles that were ordered before writes nothing.
/// </summary>
public sealed class ArticleWords(IOptions<OrdersOptions> options) : IDisposable
{
    private const int MostWords = 60;

    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = options.Value.CachedProducts });

    /// <summary>Adds what is not known to be kept. In the order of the key, so that two orders of the same articles never deadlock.</summary>
    public void Add(NpgsqlBatch batch, IEnumerable<(string StoreId, string Sku, string Title)> titles)
    {
        var words = titles.Where(title => !_kept.TryGetValue(title, out _))
            .SelectMany(title => SearchWords.Of(title.Title).Take(MostWords), (title, word) => (title.StoreId, Word: word, title.Sku))
            .Distinct()
            .OrderBy(word => word.StoreId, StringComparer.Ordinal).ThenBy(word => word.Word, StringComparer.Ordinal).ThenBy(word => word.Sku, StringComparer.Ordinal)
            .ToList();
        if (words.Count > 0)
        {
            batch.With(Sql.Command("INSERT INTO article_words (store_id, word, sku) SELECT * FROM unnest($1, $2, $3) ON CONFLICT DO NOTHING")
                .With(words.Column(word => word.StoreId)).With(words.Column(word => word.Word)).With(words.Column(word => word.Sku)));
        }
    }

    /// <summary>To be told after the commit, and never before: what was rolled back is not kept.</summary>
    public void Kept(IEnumerable<(string StoreId, string Sku, string Title)> titles)
    {
        foreach (var title in titles)
            _kept.Set(title, true, new MemoryCacheEntryOptions { Size = 1 });
    }

    public void Dispose() => _kept.Dispose();
}
