using Commerce.Sandbox.Http;
using Microsoft.Data.Sqlite;

namespace Commerce.Sandbox.Books;

/// <summary>The writer's connection, inside a transaction. What is put on the agenda here counts once the transaction is committed.</summary>
internal sealed class WritingPage(SqliteConnection connection) : Page(connection)
{
    private readonly List<Entry> _entries = [];

    public IReadOnlyList<Entry> Entries => _entries;

    public void Remind(Errand errand, long seq, DateTimeOffset due) => _entries.Add(new Entry(errand, seq, due.ToUnixTimeMilliseconds()));

    public void DropRemindersFrom(int count) => _entries.RemoveRange(count, _entries.Count - count);

    public long Insert(string sql, params ReadOnlySpan<object?> arguments)
    {
        Execute(sql, arguments);
        return Count("SELECT last_insert_rowid()");
    }

    /// <summary>
    /// Does the work at most once for a key. Only what succeeded is remembered: a refusal changed nothing, so the same key may try again.
    /// </summary>
    public Answer Once(IdempotentRequest request, Func<WritingPage, Answer> work)
    {
        if (request.Key is null) return work(this);
        var known = First(
            "SELECT hash, body FROM answers WHERE scope = $1 AND key = $2",
            r => (Hash: (byte[])r[0], Body: (byte[])r[1]).ToTuple(),
            request.Scope,
            request.Key);
        if (known is not null)
        {
            return known.Item1.AsSpan().SequenceEqual(request.Hash)
                ? new Answer(200, known.Item2, Repeated: true)
                : throw Refusal.Unprocessable("idempotency_key_reused", "This Idempotency-Key was used for another request; send a new key or the first request again.");
        }

        var answer = work(this);
        Execute("INSERT INTO answers (scope, key, hash, body) VALUES ($1, $2, $3, $4)", request.Scope, request.Key, request.Hash, answer.Body);
        return answer;
    }

    public bool Knows(IdempotentRequest request) =>
        request.Key is not null && Count("SELECT 1 FROM answers WHERE scope = $1 AND key = $2", request.Scope, request.Key) == 1;
}
