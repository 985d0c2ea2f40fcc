using System.CommandLine;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>artifacts list</c>, <c>artifacts get</c> and <c>result</c>: what a run has left.</summary>
internal static class ArtifactVerbs
{
    internal static Command CreateArtifacts() =>
        new VerbCommand(
            "artifacts",
            "The files that a run has left.",
            "jobhost artifacts list 1f3a9c07\njobhost artifacts get 1f3a9c07 report.csv"
        )
        {
            CreateList(),
            CreateGet(),
        };

    internal static Command CreateResult()
    {
        var which = Verb.Run(Complete.EndedRun);
        var to = To("standard output");
        var force = Force();
        var command = new VerbCommand(
            "result",
            "Shows or downloads the result of a run, of any size, as JSON.",
            "jobhost result 1f3a9c07 --to result.json"
        )
        {
            which,
            to,
            force,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                await using var source = await session.Client.OpenResultAsync(id, cancellationToken);
                if (parsed.GetValue(to) is { } file and not "-")
                {
                    await LocalFile.WriteAsync(
                        file,
                        parsed.GetValue(force),
                        target => source.CopyToAsync(target, cancellationToken)
                    );
                }
                else if (session.Screen.IsTerminal)
                {
                    await ShowAsync(session, source, cancellationToken);
                }
                else
                {
                    await using var output = Console.OpenStandardOutput();
                    await source.CopyToAsync(output, cancellationToken);
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static VerbCommand CreateList()
    {
        var which = Verb.Run();
        var command = new VerbCommand(
            "list",
            "Lists the files, with their checksums once the run has ended.",
            "jobhost artifacts list 1f3a9c07"
        )
        {
            which,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                var artifacts = await session.Client.ListArtifactsAsync(id, cancellationToken);
                if (session.IsJson)
                {
                    session.Screen.WriteJson(artifacts, CliJson.Legible.IReadOnlyListArtifact);
                    return ExitCodes.Done;
                }
                var listing = new Listing("SIZE", "MODIFIED", "SHA-256", "PATH");
                foreach (var artifact in artifacts)
                {
                    listing.Add(
                        Words.Size(artifact.Bytes),
                        Words.Instant(artifact.ModifiedAt),
                        // A terminal shows enough to compare by eye.
                        session.Screen.IsTerminal
                            ? artifact.Sha256?[..12]
                            : artifact.Sha256,
                        artifact.Path
                    );
                }
                session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static VerbCommand CreateGet()
    {
        var which = Verb.Run();
        var path = new Argument<string>("path")
        {
            Description = "The file, as 'artifacts list' has it",
            HelpName = "PATH",
        };
        var to = To("a file of the same name, here");
        var force = Force();
        var command = new VerbCommand(
            "get",
            "Downloads a file and compares its checksum. Goes on over connections that break.",
            "jobhost artifacts get 1f3a9c07 reports/may.csv --to may.csv"
        )
        {
            which,
            path,
            to,
            force,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                var wanted = parsed.GetRequiredValue(path);
                var file = parsed.GetValue(to) ?? Path.GetFileName(wanted);
                if (file == "-")
                {
                    await using var output = Console.OpenStandardOutput();
                    await session.Client.DownloadArtifactAsync(id, wanted, output, cancellationToken);
                    return ExitCodes.Done;
                }
                Downloaded? got = null;
                await LocalFile.WriteAsync(
                    file,
                    parsed.GetValue(force),
                    async target =>
                        got = await session.Client.DownloadArtifactAsync(id, wanted, target, cancellationToken)
                );
                if (session.IsJson)
                {
                    session.Screen.WriteJson(got!, CliJson.Legible.Downloaded);
                }
                else
                {
                    var proof = got!.IsVerified ? "checksum verified" : "not verified, as the run has not ended";
                    session.Screen.WriteLine(Words.Clean($"{file}: {Words.Size(got.Bytes)}, {proof}"));
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static Option<string> To(string standard) =>
        new("--to") { Description = $"Where to; -: standard output. Default: {standard}", HelpName = "file" };

    private static Option<bool> Force() => new("--force") { Description = "Replaces a file that is there" };

    private static async Task ShowAsync(Session session, Stream source, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(source);
        var buffer = new char[8192];
        while (await reader.ReadBlockAsync(buffer, cancellationToken) is > 0 and var read)
        {
            session.Screen.Write(Printable.Lines(new string(buffer, 0, read)));
        }
        session.Screen.WriteLine();
    }
}
