namespace JobHost.Server.Tests.Support;

/// <summary>
/// The files through which a misbehaving job and its test talk past the product: the marker, which grows while the job's code
/// runs, the release, whose appearance ends it, and the list of the processes that it started.
/// </summary>
internal sealed class Witness
{
    private readonly string name = Path.Combine(Leaks.Folder, $"witness-{Guid.NewGuid():N}");

    internal string Marker => $"{name}.marker";

    internal string Release => $"{name}.release";

    internal string Pids => $"{name}.pids";

    internal string PortFile => $"{name}.port";

    /// <summary>Lets the job end.</summary>
    internal Task ReleaseAsync() => File.WriteAllTextAsync(Release, "", ApiClient.Token);

    /// <summary>Waits until the job's code has run on since now.</summary>
    internal Task BeatsAsync()
    {
        var length = Length;
        return Poll.UntilAsync(() => Length > length, "the job's code to run");
    }

    /// <summary>What the job wrote, without the beats.</summary>
    internal string[] Lines() =>
        File.Exists(Marker)
            ? [.. File.ReadAllLines(Marker).Select(line => line.TrimStart('.')).Where(line => line.Length > 0)]
            : [];

    /// <summary>Waits until the job has written a line.</summary>
    internal Task WroteAsync(string line) =>
        Poll.UntilAsync(() => Lines().Contains(line), $"the job to write '{line}'");

    /// <summary>Waits until the job has started so many processes, and returns their numbers as this process knows them.</summary>
    internal async Task<IReadOnlyList<int>> StartedAsync(int count)
    {
        await Poll.UntilAsync(
            () => File.Exists(Pids) && File.ReadAllLines(Pids).Length >= count,
            $"{count} processes to be started"
        );
        var lines = await File.ReadAllLinesAsync(Pids, ApiClient.Token);
        return
        [
            .. lines
                .Select(line => line.Split(' '))
                .Select(noted =>
                    ProcessScan.Outside(int.Parse(noted[0]), long.Parse(noted[1]))
                    ?? throw new InvalidOperationException($"Process {noted[0]} is not there.")
                ),
        ];
    }

    /// <summary>How much the job has written.</summary>
    internal long Length => new FileInfo(Marker) is { Exists: true, Length: var length } ? length : 0;
}
