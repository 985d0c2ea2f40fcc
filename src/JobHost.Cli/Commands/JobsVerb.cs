using System.CommandLine;
using System.Globalization;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;
using Spectre.Console;

namespace JobHost.Cli.Commands;

/// <summary><c>jobs</c>: what can run.</summary>
internal static class JobsVerb
{
    internal static Command Create()
    {
        var command = new VerbCommand("jobs", "Lists the jobs that can run.", "jobhost jobs");
        command.Does(
            async (_, session, cancellationToken) =>
            {
                var jobs = await session.Client.ListJobsAsync(cancellationToken);
                if (session.IsJson)
                {
                    session.Screen.WriteJson(jobs, CliJson.Legible.IReadOnlyListJob);
                    return ExitCodes.Done;
                }
                var listing = new Listing("JOB", "KIND", "RUNNING", "QUEUED", "PARAMETERS");
                foreach (var job in jobs)
                {
                    listing.Add(
                        job.Paused is null ? job.Name : new Cell($"{job.Name} (paused)", new Style(Color.Yellow)),
                        Words.NameOf(job.Kind),
                        Count(job.Counts?.Running),
                        Count(job.Counts?.Queued),
                        string.Join(' ', Parameters(job))
                    );
                }
                session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static string Count(int? count) => count?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static IEnumerable<string> Parameters(Job job)
    {
        var schema = new ParameterSchema(job.ParametersSchema);
        return schema.Names.Select(name => schema.IsRequired(name) ? $"{name}=" : $"[{name}=]");
    }
}
