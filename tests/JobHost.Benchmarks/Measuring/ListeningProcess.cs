using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using JobHost.Worker.Native;

namespace JobHost.Benchmarks.Measuring;

/// <summary>A server in a process of its own, from its start until it was asked to end and did.</summary>
internal sealed partial class ListeningProcess : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ListeningProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Where it listens; null where it refused to.</summary>
    internal Uri? Address { get; private set; }

    /// <summary>The last line that it wrote.</summary>
    internal string LastLine
    {
        get
        {
            lock (output)
            {
                return output
                    .ToString()
                    .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .LastOrDefault("it says nothing");
            }
        }
    }

    /// <summary>Starts it on a port that is free, and waits until it listens or has ended.</summary>
    /// <exception cref="BenchmarkException">There is no such program.</exception>
    internal static async Task<ListeningProcess> StartAsync(
        string program,
        IReadOnlyList<string> arguments,
        string folder,
        IReadOnlyDictionary<string, string> environment,
        CancellationToken cancellationToken
    )
    {
        if (!File.Exists(program))
        {
            throw new BenchmarkException($"there is no server at '{program}'");
        }
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        var server = new ListeningProcess(Process.Start(start)!);
        try
        {
            var exit = server.process.WaitForExitAsync(cancellationToken);
            if (await Task.WhenAny(server.listening.Task, exit).WaitAsync(Bound, cancellationToken) != exit)
            {
                server.Address = await server.listening.Task;
            }
            return server;
        }
        catch (Exception)
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks it to end, and waits until it has.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            using (var pidfd = Pidfd.Open(process.Id))
            {
                _ = pidfd is not null && Pidfd.Signal(pidfd, Signals.Terminate);
            }
            using var bound = new CancellationTokenSource(Bound);
            await process.WaitForExitAsync(bound.Token);
        }
        process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }
        lock (output)
        {
            output.AppendLine(line);
        }
        if (Listening().Match(line) is { Success: true } at)
        {
            listening.TrySetResult(new(at.Groups["address"].Value));
        }
    }

    [GeneratedRegex("Now listening on: (?<address>\\S+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Listening();
}
