using System.Text.Json;
using JobHost.Conformance.Victims;

namespace JobHost.Conformance.Nodes;

/// <summary>The configuration of a node under test: every victim is a command.</summary>
internal static class NodeConfiguration
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    internal static async Task WriteAsync(string file, VictimProgram program, IEnumerable<Victim> victims)
    {
        var commands = victims.ToDictionary(victim => victim.Name, victim => Command(program, victim));
        var settings = new
        {
            JobHost = new
            {
                Samples = false,
                Slots = new { Process = 200 },
                Shutdown = new { ForegroundTimeout = "00:00:01", Timeout = "00:00:30" },
                Commands = commands,
            },
        };
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(settings, Indented));
    }

    private static object Command(VictimProgram program, Victim victim) =>
        new
        {
            Description = victim.What,
            File = victim.Script is null ? program.File : "/bin/sh",
            Arguments = victim.Script is null
                ? new[] { victim.Body, program.Root, "{token}", "{options}" }
                :
                [
                    "-c",
                    victim
                        .Script.Replace("{", "{{", StringComparison.Ordinal)
                        .Replace("}", "}}", StringComparison.Ordinal),
                    "sh",
                    program.RunFolder("{token}"),
                    "{options}",
                    program.RunFile("{token}") + ".ready",
                ],
            Parameters = new
            {
                token = new { Required = true, Pattern = "[a-z0-9-]+" },
                options = new { Required = true },
            },
            OutputLimit = 64 * 1024,
            Ladder = new object[]
            {
                new { Rung = "Cancel", Grace = "00:00:00.300" },
                new { Rung = "Terminate", Grace = "00:00:00.300" },
                new { Rung = "Kill", Grace = "00:00:00" },
                new { Rung = "Verify", Grace = "00:00:05" },
            },
        };
}
