using System.Globalization;
using System.Text;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Worker.Running;

namespace JobHost.Execution.Output;

/// <summary>
/// Writes what a run prints into its files, without secrets, each up to the job's limit; what exceeds it is counted and said once.
/// </summary>
internal sealed class RunOutput(RunFolders folders, RunId id, long limit, Secrets secrets)
    : IRunLogListener,
        IDisposable
{
    private readonly Lock gate = new();
    private long written;

    // By their stream. Most runs print nothing: what is not written to is not made.
    private CappedFile?[]? files;
    private RunContext? context;
    private OutputCollector? collector;
    private bool isNoted;
    private bool isClosed;

    /// <summary>Bytes that this attempt has printed so far, kept or not.</summary>
    internal long Written => Interlocked.Read(ref written);

    /// <summary>The one that was noted before it. The collector's.</summary>
    internal RunOutput? Noted { get; set; }

    /// <summary>Carries what the code logs into its file from now on.</summary>
    internal void Follow(RunContext logged, OutputCollector by)
    {
        (context, collector) = (logged, by);
        logged.Log.Listener = this;
    }

    void IRunLogListener.Appended()
    {
        if (!Volatile.Read(ref isNoted) && !Interlocked.Exchange(ref isNoted, true))
        {
            collector!.Note(this);
        }
    }

    /// <summary>Collects what was noted.</summary>
    internal void CollectNoted()
    {
        // Before the look, so that a line that comes meanwhile is noted anew.
        Volatile.Write(ref isNoted, false);
        lock (gate)
        {
            if (!isClosed)
            {
                Collect();
            }
        }
    }

    internal void Write(OutputStream stream, ReadOnlySpan<byte> bytes)
    {
        Interlocked.Add(ref written, bytes.Length);
        lock (gate)
        {
            // Whoever was handed an end of a pipe may write after the run's end, which is no longer the run's output.
            if (!isClosed)
            {
                FileOf(stream).Append(bytes);
            }
        }
    }

    internal void WriteLog(IReadOnlyList<string> lines, long lost)
    {
        if (lines.Count == 0 && lost == 0)
        {
            return;
        }
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            text.Append(line).Append('\n');
        }
        if (lost > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"[{lost} lines were written faster than they could be kept]\n");
        }
        Write(OutputStream.Log, Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>Collects the last lines, writes how much was dropped and closes the files.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isClosed)
            {
                return;
            }
            Collect();
            isClosed = true;
            foreach (var file in files ?? [])
            {
                file?.Finish();
            }
        }
    }

    private void Collect()
    {
        if (context is not null)
        {
            WriteLog(context.Log.Take(out var lost), lost);
        }
    }

    private CappedFile FileOf(OutputStream stream) =>
        (files ??= new CappedFile?[3])[(int)stream] ??= new(folders.File(id, stream), limit, secrets);

    /// <summary>An append-only file that is made with its first byte.</summary>
    private sealed class CappedFile(string path, long limit, Secrets secrets) : IDisposable
    {
        private readonly OutputMask mask = new(secrets);
        private FileStream? file;
        private long length;
        private long dropped;

        internal void Append(ReadOnlySpan<byte> bytes) => mask.Write(bytes, Keep);

        private void Keep(ReadOnlySpan<byte> bytes)
        {
            if (bytes.IsEmpty)
            {
                return;
            }
            try
            {
                if (file is null)
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                    // Shared for reading and deleting: logs are followed while they grow.
                    file = new(
                        path,
                        FileMode.Append,
                        FileAccess.Write,
                        FileShare.ReadWrite | FileShare.Delete,
                        bufferSize: 0
                    );
                    length = file.Length;
                }
                var room = (int)Math.Clamp(limit - length, 0, bytes.Length);
                file.Write(bytes[..room]);
                length += room;
                dropped += bytes.Length - room;
            }
            catch (Exception full) when (full is IOException or UnauthorizedAccessException)
            {
                // A full disk must not stop the job from being read, or the run from being recorded.
                dropped += bytes.Length;
            }
        }

        internal void Finish()
        {
            mask.Finish(Keep);
            if (dropped > 0 && file is not null)
            {
                try
                {
                    var note = $"\n[{dropped} more bytes were not kept: the output limit is {limit} bytes]\n";
                    file.Write(Encoding.UTF8.GetBytes(note));
                }
                catch (IOException)
                {
                    // As above.
                }
                dropped = 0;
            }
            Dispose();
        }

        public void Dispose()
        {
            file?.Dispose();
            file = null;
        }
    }
}
