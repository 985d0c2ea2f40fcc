namespace JobHost.Benchmarks.Kills;

/// <summary>A program that is killed.</summary>
/// <param name="Job">Its name as a job.</param>
/// <param name="File">The program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Size">Of how many processes it consists when it is complete.</param>
internal sealed record Victim(string Job, string File, IReadOnlyList<string> Arguments, int Size)
{
    internal static readonly Victim Sleep = new("sleep", "/bin/sleep", ["300"], 1);

    internal static readonly Victim Tree = new(
        "tree",
        "/bin/sh",
        ["-c", "for child in 1 2 3 4 5; do sleep 300 & done; wait"],
        6
    );
}
