using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace Commerce.Sandbox.Books;

/// <summary>
/// The Sandbox's books: one SQLite file with one writer. Many operations share a transaction, and each is answered only after its commit.
/// A killed process loses nothing that was answered (synchronous=NORMAL guards the file against the process, not against a power cut).
/// </summary>
internal sealed partial class BookKeeper : IDisposable
{
    private const int BatchSize = 256;

    private readonly BlockingCollection<Operation> _operations = [];
    private readonly ConcurrentBag<Page> _readers = [];
    private readonly string _file;
    private readonly Agenda _agenda;
    private readonly ILogger<BookKeeper> _logger;
    private readonly WritingPage _writer;
    private readonly Thread _thread;

    public BookKeeper(IOptions<SandboxOptions> options, IHostEnvironment environment, Agenda agenda, ILogger<BookKeeper> logger)
    {
        _agenda = agenda;
        _logger = logger;
        _file = Path.Combine(DirectoryOf(options.Value, environment), "books.db");
        _writer = new WritingPage(Open(SqliteOpenMode.ReadWriteCreate));
        _writer.Execute("PRAGMA journal_mode = WAL");
        _writer.Execute("PRAGMA synchronous = NORMAL");
        _writer.Execute(Schema.Sql);
        foreach (var (table, column, sql) in Schema.Later)
        {
            if (!_writer.All($"SELECT name FROM pragma_table_info('{table}')", r => r.GetString(0)).Contains(column))
                _writer.Execute(sql);
        }

        agenda.Add(_writer.All(
            """
            SELECT 0, seq, next_scan_at FROM labels WHERE next_scan_at IS NOT NULL
            UNION ALL SELECT 1, seq, resolves_at FROM authorizations WHERE resolves_at IS NOT NULL
            UNION ALL SELECT CASE target WHEN 'shipments' THEN 2 ELSE 3 END, seq, due_at FROM webhooks
            """,
            r => new Entry((Errand)r.GetInt32(0), r.GetInt64(1), r.GetInt64(2))));
        Opened(logger, _file, agenda.Count);
        _thread = new Thread(Work) { IsBackground = true, Name = "books" };
        _thread.Start();
    }

    /// <summary>Where the Sandbox keeps what it keeps; made when absent.</summary>
    public static string DirectoryOf(SandboxOptions options, IHostEnvironment environment)
    {
        var directory = options.DataDirectory is { Length: > 0 } given ? Path.GetFullPath(given, environment.ContentRootPath) : DefaultDirectory(environment.ContentRootPath);
        Directory.CreateDirectory(directory);
        return directory;
    }

    /// <summary>Runs on the writer's thread; the task ends after the commit. An exception undoes this operation alone.</summary>
    public Task<T> WriteAsync<T>(Func<WritingPage, T> work)
    {
        var operation = new Operation<T>(work);
        _operations.Add(operation);
        return operation.Task;
    }

    public Task WriteAsync(Action<WritingPage> work) => WriteAsync(page =>
    {
        work(page);
        return true;
    });

    /// <summary>Reads what is committed, beside the writer.</summary>
    public T Read<T>(Func<Page, T> work)
    {
        if (!_readers.TryTake(out var page)) page = new Page(Open(SqliteOpenMode.ReadOnly));
        var result = work(page);
        _readers.Add(page);
        return result;
    }

    public Task ForgetAsync() => WriteAsync(page =>
    {
        page.Execute(Schema.Forget);
        _agenda.Clear();
    });

    public void Dispose()
    {
        _operations.CompleteAdding();
        _thread.Join();
        _writer.Dispose();
        while (_readers.TryTake(out var page)) page.Dispose();
        _operations.Dispose();
    }

    private static string DefaultDirectory(string contentRoot)
    {
        // In a clone the books lie beside the suite's other data, whatever folder the process was started in.
        for (var folder = new DirectoryInfo(contentRoot); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Commerce.sln"))) return Path.Combine(folder.FullName, ".local", "sandbox");
        }

        return Path.Combine(contentRoot, ".local", "sandbox");
    }

    private SqliteConnection Open(SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _file, Mode = mode, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    private void Work()
    {
        var batch = new List<Operation>(BatchSize);
        foreach (var first in _operations.GetConsumingEnumerable())
        {
            batch.Add(first);
            while (batch.Count < BatchSize && _operations.TryTake(out var more)) batch.Add(more);
            Commit(batch);
            batch.Clear();
        }
    }

    private void Commit(List<Operation> batch)
    {
        try
        {
            _writer.Execute("BEGIN IMMEDIATE");
            foreach (var operation in batch) RunAlone(operation);
            _writer.Execute("COMMIT");
        }
        catch (SqliteException e)
        {
            // A full disk, for instance: nobody in the batch may believe that it happened.
            CommitFailed(_logger, batch.Count, e);
            try
            {
                _writer.Execute("ROLLBACK");
            }
            catch (SqliteException)
            {
                // SQLite has rolled back by itself.
            }

            _writer.DropRemindersFrom(0);
            foreach (var operation in batch) operation.Undo(e);
        }

        _agenda.Add(_writer.Entries);
        _writer.DropRemindersFrom(0);
        foreach (var operation in batch) operation.Complete();
    }

    private void RunAlone(Operation operation)
    {
        var reminders = _writer.Entries.Count;
        _writer.Execute("SAVEPOINT operation");
        if (!operation.Run(_writer))
        {
            _writer.Execute("ROLLBACK TO operation");
            _writer.DropRemindersFrom(reminders);
        }

        _writer.Execute("RELEASE operation");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Books open at {File}, {Due} entries on the agenda")]
    private static partial void Opened(ILogger logger, string file, int due);

    [LoggerMessage(Level = LogLevel.Error, Message = "A commit of {Count} operations failed; none of them happened")]
    private static partial void CommitFailed(ILogger logger, int count, Exception error);

    private abstract class Operation
    {
        public abstract bool Run(WritingPage page);

        public abstract void Undo(Exception error);

        public abstract void Complete();
    }

    private sealed class Operation<T>(Func<WritingPage, T> work) : Operation
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _error;

        public Task<T> Task => _done.Task;

        public override bool Run(WritingPage page)
        {
            try
            {
                _result = work(page);
                return true;
            }
#pragma warning disable CA1031 // Whatever the work throws belongs to its caller, not to the writer.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _error = e;
                return false;
            }
        }

        public override void Undo(Exception error) => _error ??= error;

        public override void Complete()
        {
            if (_error is null) _done.SetResult(_result!);
            else _done.SetException(_error);
        }
    }
}
