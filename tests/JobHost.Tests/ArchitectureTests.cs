using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using JobHost.Runs;
using JobHost.Worker.Bodies;

namespace JobHost.Tests;

/// <summary>Which room may use which: each looks only at those left of it.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string[] Rooms =
    [
        "Runs",
        "Jobs",
        "Schedules",
        "Telemetry",
        "Execution",
        "Storage",
        "Nodes",
        "Control",
        "Clock",
        "Hosting",
    ];

    private static readonly Assembly Engine = typeof(Run).Assembly;

    private static readonly string Source = Path.GetFullPath(
        typeof(ArchitectureTests)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .First(attribute => attribute.Key == "SourceFolder")
            .Value!
    );

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value);

    [Fact]
    public void Every_type_of_the_engine_is_in_a_room()
    {
        var homeless = Engine
            .GetTypes()
            .Where(type => !IsGenerated(type) && RoomOf(type) < 0)
            .Select(type => type.FullName);
        Assert.Empty(homeless);
    }

    [Fact]
    public void Rooms_of_the_engine_use_only_those_left_of_them()
    {
        var offences =
            from type in Engine.GetTypes()
            let room = RoomOf(type)
            where room >= 0
            from used in UsedBy(type)
            where used.Assembly == Engine && RoomOf(used) > room
            select $"{type.FullName} uses {used.FullName}";
        Assert.Empty(offences.Distinct().Order());
    }

    [Fact]
    public void The_walk_through_method_bodies_sees_what_they_call()
    {
        var used = UsedBy(typeof(ArchitectureTests)).ToHashSet();
        Assert.Contains(typeof(Run), used);
        Assert.Contains(typeof(OpCodes), used);
        Assert.Contains(typeof(XDocument), used);
    }

    [Fact]
    public void Rooms_name_only_those_left_of_them_in_their_usings()
    {
        var offences =
            from file in SourceFiles("JobHost")
            let room = Array.IndexOf(Rooms, Path.GetRelativePath(Path.Combine(Source, "JobHost"), file).Split('/')[0])
            from Match match in EngineUsing().Matches(File.ReadAllText(file))
            let used = Array.IndexOf(Rooms, match.Groups[1].Value)
            where used > room
            select $"{file}: {match.Value}";
        Assert.Empty(offences);
    }

    [Theory]
    [InlineData("JobHost.Abstractions", "")]
    [InlineData("JobHost.Worker", "JobHost.Abstractions")]
    [InlineData("JobHost", "JobHost.Worker")]
    [InlineData("JobHost.Samples", "JobHost.Abstractions")]
    [InlineData("JobHost.Client", "")]
    [InlineData("JobHost.Cli", "JobHost.Client")]
    [InlineData("JobHost.Server", "JobHost,JobHost.Cli,JobHost.Samples")]
    public void A_project_references_only_those_left_of_it(string project, string references)
    {
        var found = XDocument
            .Load(Path.Combine(Source, project, $"{project}.csproj"))
            .Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));
        Assert.Equal(references.Split(',', StringSplitOptions.RemoveEmptyEntries), found);
    }

    [Fact]
    public void Assemblies_reference_only_those_left_of_them()
    {
        Assert.Equal(["JobHost.Abstractions"], OursIn(typeof(JobBody).Assembly));
        Assert.Equal(["JobHost.Abstractions", "JobHost.Worker"], OursIn(Engine));
        Assert.Empty(OursIn(typeof(JobContext).Assembly));

        static IEnumerable<string> OursIn(Assembly assembly) =>
            assembly
                .GetReferencedAssemblies()
                .Select(name => name.Name!)
                .Where(name => name.StartsWith("JobHost", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal);
    }

    [Fact]
    public void Samples_name_nothing_of_ours_but_the_author_api()
    {
        var offences =
            from file in SourceFiles("JobHost.Samples")
            from Match match in AnyOfOurs().Matches(File.ReadAllText(file))
            where !match.Value.StartsWith("JobHost.Samples", StringComparison.Ordinal)
            select $"{file}: {match.Value}";
        Assert.Empty(offences);
    }

    [Fact]
    public void The_client_and_its_verbs_know_a_server_only_by_its_http_api()
    {
        var offences =
            from project in new[] { "JobHost.Client", "JobHost.Cli" }
            from file in SourceFiles(project)
            from Match match in AnyOfOurs().Matches(File.ReadAllText(file))
            where match.Value is not ("JobHost.Client" or "JobHost.Cli")
            select $"{file}: {match.Value}";
        Assert.Empty(offences);
    }

    [Fact]
    public void The_service_is_wired_without_the_verbs_that_ask_it()
    {
        // What parses and draws them is loaded only where one of them is asked for.
        var users =
            from file in SourceFiles("JobHost.Server")
            where
                AnyOfOurs()
                    .Matches(File.ReadAllText(file))
                    .Any(match => match.Value is "JobHost.Client" or "JobHost.Cli")
            select Path.GetFileName(file);
        Assert.Equal(["JobHostServer.cs"], users);
    }

    [Theory]
    [InlineData("JobHost.Worker")]
    [InlineData("JobHost")]
    [InlineData("JobHost.Samples")]
    [InlineData("JobHost.Client")]
    [InlineData("JobHost.Cli")]
    [InlineData("JobHost.Server")]
    public void Namespaces_equal_folders(string project)
    {
        var offences =
            from file in SourceFiles(project)
            let folder = Path.GetRelativePath(Source, Path.GetDirectoryName(file)!).Replace('/', '.')
            let name = Namespace().Match(File.ReadAllText(file)).Groups[1].Value
            // The program itself has no namespace.
            where name != folder && !(name.Length == 0 && Path.GetFileName(file) is "Program.cs" or "AssemblyInfo.cs")
            select $"{file}: {name}";
        Assert.Empty(offences);
    }

    private static IEnumerable<string> SourceFiles(string project) =>
        Directory
            .EnumerateFiles(Path.Combine(Source, project), "*.cs", SearchOption.AllDirectories)
            .Where(file =>
                !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)
            );

    private static int RoomOf(Type type) =>
        type.Namespace is { } name && name.StartsWith("JobHost.", StringComparison.Ordinal)
            ? Array.IndexOf(Rooms, name.Split('.')[1])
            : -1;

    private static bool IsGenerated(Type type) =>
        type.Namespace is null or "System.Runtime.CompilerServices" or "Microsoft.CodeAnalysis"
        || type.FullName!.StartsWith("System.Text.RegularExpressions.Generated", StringComparison.Ordinal)
        || type.IsDefined(typeof(CompilerGeneratedAttribute));

    /// <summary>All types that a type names: in its declaration, its members, and the code of its methods.</summary>
    private static IEnumerable<Type> UsedBy(Type type)
    {
        const BindingFlags All =
            BindingFlags.Public
            | BindingFlags.NonPublic
            | BindingFlags.Instance
            | BindingFlags.Static
            | BindingFlags.DeclaredOnly;
        var declared = new List<Type?> { type.BaseType };
        declared.AddRange(type.GetInterfaces());
        declared.AddRange(
            type.GetGenericArguments()
                .SelectMany(argument => argument.IsGenericParameter ? argument.GetGenericParameterConstraints() : [])
        );
        declared.AddRange(type.GetFields(All).Select(field => field.FieldType));
        declared.AddRange(type.GetProperties(All).Select(property => property.PropertyType));
        declared.AddRange(type.GetCustomAttributesData().Select(attribute => attribute.AttributeType));
        foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            declared.AddRange(method.GetParameters().Select(parameter => parameter.ParameterType));
            declared.Add((method as MethodInfo)?.ReturnType);
            declared.AddRange(UsedInBody(method));
        }
        // The compiler's own nested types, where lambdas and state machines live, are walked as types of their own.
        return declared.OfType<Type>().SelectMany(Parts);
    }

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!)
        : type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type.GetGenericTypeDefinition())
        : [type];

    private static IEnumerable<Type> UsedInBody(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body)
        {
            yield break;
        }
        foreach (var local in body.LocalVariables)
        {
            yield return local.LocalType;
        }
        foreach (var clause in body.ExceptionHandlingClauses)
        {
            if (clause.Flags == ExceptionHandlingClauseOptions.Clause && clause.CatchType is { } caught)
            {
                yield return caught;
            }
        }
        foreach (var member in TokensIn(body.GetILAsByteArray()!).Select(token => Resolve(method, token)))
        {
            switch (member)
            {
                case Type type:
                    yield return type;
                    break;
                case FieldInfo field:
                    yield return field.DeclaringType!;
                    yield return field.FieldType;
                    break;
                case MethodBase called:
                    if (called.DeclaringType is { } owner)
                    {
                        yield return owner;
                    }
                    foreach (var argument in called.IsGenericMethod ? called.GetGenericArguments() : [])
                    {
                        yield return argument;
                    }
                    break;
            }
        }
    }

    private static IEnumerable<int> TokensIn(byte[] code)
    {
        for (var at = 0; at < code.Length; )
        {
            var value = (short)code[at++];
            if (value == 0xFE)
            {
                value = (short)(0xFE00 | code[at++]);
            }
            var operand = OpCodesByValue[value].OperandType;
            if (
                operand
                is OperandType.InlineMethod
                    or OperandType.InlineField
                    or OperandType.InlineType
                    or OperandType.InlineTok
            )
            {
                yield return BitConverter.ToInt32(code, at);
            }
            at += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }

    private static MemberInfo? Resolve(MethodBase method, int token) =>
        method.Module.ResolveMember(
            token,
            method.DeclaringType?.GetGenericArguments(),
            method.IsGenericMethod ? method.GetGenericArguments() : null
        );

    [GeneratedRegex(
        @"\bJobHost\.(Runs|Jobs|Schedules|Telemetry|Execution|Storage|Nodes|Control|Clock|Hosting)\b",
        RegexOptions.None,
        5000
    )]
    private static partial Regex EngineUsing();

    [GeneratedRegex(@"\bJobHost\.[A-Z]\w*", RegexOptions.None, 5000)]
    private static partial Regex AnyOfOurs();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline, 5000)]
    private static partial Regex Namespace();
}
