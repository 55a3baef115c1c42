"""Ordinary American given names: those that distractors bring along, and others that questions often have."""

from __future__ import annotations

from noise.text.word_lists import word_list

# Names of newcomers. None is a word, a month or a name of the mini corpus. First those of women, then those of men.
_WOMEN = word_list(
    """
    Abby Abigail Addison Adelaide Adeline Adrianna Agatha Aileen Alaina Alana Alexa Alexandra Alexis Alicia Alison
    Alissa Allison Alyssa Amanda Amy Andrea Angela Angelica Angelina Angie Annabelle Anne Annette Annie Antonia
    Ariana Arianna Arlene Ashley Ashlyn Audrey Ava Avery Barbara Becky Belinda Bernadette Bernice Beth Bethany
    Betsy Betty Beverly Bonnie Bridget Brittany Brooke Caitlin Callie Candace Carly Carol Carole Caroline Carolyn
    Carrie Cassandra Cassidy Catherine Cathy Charlene Charlotte Chelsea Cheryl Christina Christine Cindy Claire
    Colleen Connie Corinne Courtney Cynthia Danielle Darlene Debbie Denise Desiree Diane Doreen Doris Dorothy
    Eileen Elaine Eleanor Elise Elizabeth Ella Ellen Ellie Eloise Emily Erica Erin Estelle Ethel Eunice Evelyn
    Felicia Frances Gabriela Gabrielle Genevieve Geraldine Gladys Glenda Gloria Gretchen Gwen Gwendolyn Hailey
    Haley Hannah Heather Henrietta Jacqueline Jaclyn Jane Janet Janice Jeanette Jennie Jennifer Jenny Jessica
    Jessie Jill Jillian Jocelyn Jodie Jolene Josephine Josie Joanna Joanne Juanita Judy Julie Juliet Justine
    Kaitlyn Karen Kate Katelyn Katherine Kathleen Kathryn Kathy Katie Katrina Kay Kayla Kaylee Kelly Kelsey Kendra
    Kerry Kim Kimberly Kirsten Kristen Kylie Latoya Laura Lauren Laurie Leslie Lillian Lindsay Lindsey Lorraine
    Lori Louise Lucille Lucy Lynn Mackenzie Macy Madeline Maggie Makayla Mallory Mandy Marcia Margaret Marguerite
    Marian Marianne Marilyn Marissa Marjorie Marlene Martha Mary Maureen Melanie Melinda Melissa Meredith Mia
    Michelle Mildred Mindy Miranda Molly Monica Morgan Muriel Myra Nancy Natalie Natasha Nicole Nikki Noelle
    Olivia Paige Pam Pamela Patricia Patsy Patty Peggy Penelope Phoebe Phyllis Priscilla Rachelle Ramona Rebecca
    Renee Rhonda Roberta Robyn Rochelle Rosalie Rosemary Roxanne Sabrina Sally Samantha Sarah Shannon Sharon
    Sheila Shelley Sheri Sherry Shirley Sophia Sophie Stacey Stacy Stephanie Susie Suzanne Tabitha Tammy Tanya
    Tasha Tessa Theresa Tiffany Tracy Trisha Trudy Valerie Veronica Vicky Victoria Vivian Wendy Whitney Yolanda
    Yvette Yvonne
    """
)
_MEN = word_list(
    """
    Adan Alejandro Alex Alexander Alfredo Allen Alvin Andres Andrew Andy Angelo Anthony Antonio
    Armando Arnold Benjamin Benny Bernie Bert Billy Blake Bob Bobby Brad Bradley Brady Brandon Brent Brett Brian
    Brock Bruce Bryan Bryce Byron Calvin Cameron Carlton Chad Charlie Charles Christian Christopher Clarence Clark
    Clayton Clifford Clint Clyde Colby Cole Corey Craig Curtis Dalton Damian Damon Danny Darius Darnell Darren
    Darrell Dave Desmond Dillon Dominic Donald Donnie Doug Douglas Duane Dwayne Dwight Dylan Edmund Eduardo Edward
    Elijah Elliot Ellis Elmer Emanuel Enrique Ernie Ethan Eugene Everett Fernando Francisco Freddie Garrett
    Geoffrey Gilbert Glenn Graham Greg Gregory Harrison Harvey Herbert Herman Howard Irving Irvin Jaden Jake Jamie
    Jaime Jeff Jeffrey Jeremiah Jeremy Jerry Jim Jimmy Joe Joey Johnny Jon Jonathan Jose Joseph Joshua Julio Kaleb
    Ken Kenneth Kenny Kirk Kristopher Kurtis Lamar Larry Lawrence Lee Leonard Leroy Lewis Lloyd Luke Luther Lyle
    Marvin Matt Matthew Maurice Melvin Michael Micah Miguel Mike Mitch Mitchell Morris Morton Murray Nate
    Nathaniel Nicholas Nick Norman Pete Phil Phillip Quentin Randall Randy Reggie Reginald Richard Rick Ricky
    Robbie Roderick Rodney Roger Ron Ronald Ronnie Ross Roy Russ Russell Ryan Salvador Sam Sammy Shane Shawn
    Sheldon Sherman Sidney Spencer Stanley Stephen Steve Steven Stewart Stuart Terrance Terrell Terrence Terry
    Theodore Timmy Timothy Toby Todd Tom Tommy Travis Trent Tyler Tyrone Vernon Victor Vince Virgil Wallace Wayne
    Wendell Wilbur Wilfred William Willie Willis Wyatt Zachary Zack
    """
)
NEWCOMERS = (*_WOMEN, *_MEN)
# Those that somebody of the other sex may have as well.
_OF_ANYBODY = frozenset(
    word_list(
        """
        Addison Alex Alexis Ashley Avery Bernie Billy Blake Bobby Brett Brooke Cameron Carol Charlie Corey
        Courtney Dylan Ellis Jaden Jaime Jamie Jessie Joey Jon Kay Kelly Kelsey Kerry Kim Laurie Lee Leslie
        Lindsay Lindsey Lynn Mackenzie Marian Micah Morgan Nikki Robbie Robyn Ronnie Ryan Sam Sammy Shane
        Shannon Shawn Shelley Sidney Stacey Stacy Terry Toby Tracy Vivian Whitney Willie
        """
    )
)
WOMEN_NAMES = tuple(name for name in _WOMEN if name not in _OF_ANYBODY)
MEN_NAMES = tuple(name for name in _MEN if name not in _OF_ANYBODY)
# More names that questions and the distractors of others have, so that "Termites" is not taken for a person.
_OTHERS = word_list(
    """
    Aaron Abdul Abel Achim Ada Adam Adele Adrian Agnieszka Ahmed Aidan Aisha Akira Alan Alba Albert Aldo Alec
    Alena Alfred Ali Alice Alina Aliyah Amara Amaya Ambrose Amelia Amina Amir Anders Andre Anita Anna Annelise
    Anouk Anselm Anton Ari Aria Ariel Arjun Arlo Arne Arthur Asha Ashton Asia Astrid Aurelio Aurora Austin Axel
    Ayla Bailey Balthazar Barry Bartek Basil Bea Beatriz Bella Ben Benedikta Bernard Bianca Birgit Bjorn Boris
    Brandi Breanna Brenda Brendan Brianna Brunhilde Bruno Caleb Callum Camila Carl Carla Carlos Carmen Carson
    Carter Casey Casimir Cecilia Cedric Celia Chen Chester Chiara Chloe Chris Clara Claude Claudia Cleo Clinton
    Clothilde Cody Colin Connor Conor Constance Cora Cormac Cyrus Dagny Dale Dalia Dan Dana Dani Daniel Daphne
    Daria Dario Darrel David Dean Deanna Deborah Delia Dennis Derek Devin Diana Diego Dina Dirk Dmitri Dolores Don
    Donna Dora Dorothea Drew Dustin Eamon Earl Eddie Eden Edgar Edith Edwin Elena Eli Elias Elif Eliza Elsa Emil
    Emilia Emma Enzo Eric Erik Ernest Esther Eva Evan Evander Fabian Farid Fatima Faye Felix Fenella Fergus Finn
    Fiona Flora Floyd Francine Francis Frank Franklin Franz Fred Frida Gabriel Gail Gareth Gary Gavin Gemma Gene
    George Georgia Gerald Gianna Gideon Gina Giulia Glen Gordon Grace Gregor Greta Gudrun Guido Gustaf Gustav
    Hamid Hamish Hana Hank Hanna Hans Harold Harper Harriet Harry Hassan Hazel Hector Hedwig Heidi Helen Helena
    Henry Hilda Holly Homer Hubert Hugo Ian Ibrahim Ida Idris Ignatius Igor Ilya Imani Ines Ingrid Irene Isaac
    Isabel Isabella Isla Isolde Ivan Ivana Ivy Jack Jackie Jackson Jacob Jada Jade Jamal James Jamila Jan Jana
    Janelle Jared Jarek Jasmine Jason Jasper Javier Jay Jayden Jayla Jean Jen Jenna Jens Jerome Jesse Jo Joan Joel
    Johanna John Jonas Jordan Jorge Josef Josh Josiah Joyce Juan Judith Jules Julia Julian Justin Kai Kaia Kaiden
    Kamal Kara Karin Karina Karl Katarzyna Katya Keiko Keith Kenji Kent Kevin Kezia Kiera Kofi Krista Kristin
    Kristina Kurt Kyle Lana Lance Lara Lars Laurent Layla Lazlo Leah Leif Leila Lena Leo Leon Leonie Leopold
    Lester Leticia Levi Liam Lidia Lila Lilly Linda Lionel Lisa Liv Logan Lola Lorcan Lorena Lorenzo Louis Louisa
    Luca Lucas Lucia Ludmila Luis Luisa Luna Lydia Mabel Mack Madison Maeve Magnus Malcolm Malika Manuel Mara
    Marco Marcus Margot Maria Marie Mario Mark Marla Marshall Marta Martin Mason Mateo Mateusz Max Maya Meagan
    Meera Megan Mehmet Mei Mercedes Micheal Mila Milena Milo Mina Mira Miriam Mohamed Mohan Mona Moritz Nadia
    Naomi Nasrin Nathan Ned Neil Nell Nelson Nia Nico Niels Nina Noah Nolan Noor Nora Norma Odette Olaf Oleander
    Olga Olive Oliver Omar Ona Orlando Oscar Osvaldo Ottilie Otto Owen Pablo Paco Paloma Parker Pat Patrick Paul
    Paula Pavel Pedro Percy Perry Peter Petra Petronella Philip Philippa Pia Pierre Piet Polly Preston Priya
    Quillon Rachel Rafael Ralph Ramon Rana Rashid Rasmus Raul Ravi Ray Raymond Regina Renata Renzo Rex Reza Rhea
    Rhys Ricardo Rich Rita Rob Robert Roberto Roland Roman Ronan Rory Rosa Rosalind Ruben Rufus Ruth Sabine Sadie
    Salma Samir Samira Samuel Sandra Sandy Sanjay Saoirse Sara Savannah Scott Sean Selma Seraphina Sergei Seth
    Shelby Shelly Sienna Signe Silas Simon Simone Skylar Sofia Solomon Solveig Sonia Sonya Stefan Stella Stellan
    Sue Sunita Sunniva Susan Svea Sven Svetlana Sydney Sylvia Tabea Talia Tamara Tamsin Tanisha Tara Tariq Taylor
    Ted Teresa Thaddeus Thea Theo Thomas Tia Tiberius Tilda Tim Tina Tobias Tomas Tony Tonya Torvald Trevor Trey
    Trish Tristan Troy Tucker Tyson Ulrika Uma Umar Una Uriah Ursula Vanessa Vanya Vera Vida Vikram Viktor Vincent
    Viola Virginia Wade Walter Wanda Warner Warren Wen Wendeline Wesley Willa Wojtek Xavier Ximena Yara Yasmin
    Yoko Yorick Yusuf Zach Zadie Zara Zelda Zenobia Zoe
    """
)
GIVEN_NAMES = frozenset((*NEWCOMERS, *_OTHERS))
